package eioclient_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/engineio/eioclient"
)

// Messages of both kinds are echoed in order over every transport, and across
// the change from one to the other.
func TestEchoInOrder(t *testing.T) {
	run(t, engineio.Config{}, func(w *world) {
		t := w.T
		c := w.dial(w.config())
		const n = 500
		for i := range n {
			m := eioclient.Message{Binary: i%3 == 0, Data: fmt.Appendf(nil, "%d", i)}
			if err := c.Send(0, m); err != nil {
				t.Fatal(err)
			}
		}
		for i := range n {
			want := fmt.Sprint(i)
			if i%3 == 0 {
				want = "b" + want
			}
			if got := c.next(); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
		want := map[string]string{"polling": eioclient.Polling}[w.mode]
		if want == "" {
			want = eioclient.WebSocket
		}
		if got := c.Transport(); got != want {
			t.Errorf("transport %s, want %s", got, want)
		}
	})
}

// What is sent at once after Dial, while the upgrade goes on, is in order.
func TestOrderAcrossTheUpgrade(t *testing.T) {
	bubble(t, "upgrade", engineio.Config{}, func(w *world) {
		t := w.T
		c, err := w.tryDial(w.config())
		if err != nil {
			t.Fatal(err)
		}
		defer c.stop()
		i := 0
		for ; !c.has("upgrade") && i < 1<<13; i++ {
			unit := []eioclient.Message{{Data: fmt.Appendf(nil, "%d", i)}, {Binary: true, Data: fmt.Appendf(nil, "%d", i)}}
			err := c.Send(0, unit...)
			for errors.Is(err, eioclient.ErrQueueFull) {
				sleep(time.Millisecond)
				err = c.Send(0, unit...)
			}
			if err != nil {
				t.Fatal(err)
			}
			if i%50 == 0 {
				sleep(time.Millisecond)
			}
		}
		if i == 1<<13 {
			t.Fatal("no upgrade")
		}
		for j := range i {
			a, b := c.next(), c.next()
			if want := fmt.Sprint(j); a != want || b != "b"+want {
				t.Fatalf("got %q, %q, want %q twice", a, b, want)
			}
		}
	})
}

// Pings are answered, so that a session lives on.
func TestHeartbeat(t *testing.T) {
	run(t, engineio.Config{}, func(w *world) {
		t := w.T
		c := w.dial(w.config())
		sleep(10 * time.Minute)
		if err := c.Send(0, eioclient.Message{Data: []byte("still there")}); err != nil {
			t.Fatal(err)
		}
		if got := c.next(); got != "still there" {
			t.Errorf("got %q", got)
		}
		if !c.has("ping") {
			t.Error("no ping was seen")
		}
	})
}

// Close delivers what was sent before, and the server hears why.
func TestClose(t *testing.T) {
	run(t, engineio.Config{}, func(w *world) {
		t := w.T
		c := w.dial(w.config())
		big := bytes.Repeat([]byte("x"), 300<<10)
		for range 3 {
			if err := c.Send(0, eioclient.Message{Data: big}); err != nil {
				t.Fatal(err)
			}
		}
		c.Close()
		if err := c.Send(0, eioclient.Message{}); err != eioclient.ErrClosed {
			t.Errorf("Send after Close: %v", err)
		}
		<-c.Done()
		w.eventually("OnClose here", func() bool { return c.has("close forced close") })
		w.eventually("OnClose there", func() bool { return w.server.has("close transport close") })
	})
}

// The server closes the session.
func TestServerCloses(t *testing.T) {
	run(t, engineio.Config{}, func(w *world) {
		t := w.T
		c := w.dial(w.config())
		s := <-w.sessions
		if err := s.Send(0, engineio.Message{Data: []byte("bye")}); err != nil {
			t.Fatal(err)
		}
		s.Close(false)
		if got := c.next(); got != "bye" {
			t.Errorf("got %q", got)
		}
		w.eventually("OnClose", func() bool { return c.has("close transport close") })
	})
}
