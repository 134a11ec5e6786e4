package suite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/proc"
	"github.com/hermod-io/hermod/tests/autobahn/internal/raw"
)

// TestAttacks runs what is beyond the Autobahn test suite against one server,
// which must be there at the end.
func TestAttacks(t *testing.T) {
	addr := serve(t, proc.Build(t, "./tests/autobahn/echoserver"), "-deflate", "takeover", "-max", fmt.Sprint(attackLimit), "-progress", "500ms")
	alive := func(t *testing.T) {
		c, err := raw.Dial(addr, "")
		if err == nil {
			err = Run(c, fine("alive", []raw.Frame{frame(text, "alive")}, say(text, "alive")))
		}
		if err != nil {
			t.Fatalf("the server after it: %v", err)
		}
	}
	row := func(id string, f func() error) {
		t.Run(id, func(t *testing.T) {
			if err := f(); err != nil {
				t.Error(err)
			}
			alive(t)
		})
	}
	for _, r := range Refusals() {
		row(r.ID, func() error { return refused(addr, r) })
	}
	for i, offer := range Declined() {
		row(fmt.Sprintf("D.%d %s", i+1, offer), func() error { return declined(addr, offer) })
	}
	attacks := Attacks()
	for _, a := range attacks {
		row(a.ID, func() error { return a.run(addr) })
	}
	row("F.1 ping flood by a peer that does not read", func() error { return pingFlood(addr) })
	row("F.2 early data: frames in the packet of the handshake", func() error { return early(addr) })
	row("F.3 slowloris: half a handshake", func() error { return halfHandshake(addr) })
	if got := len(Refusals()) + len(Declined()) + len(attacks) + 3; got != 104 {
		t.Errorf("%d cases, want 104", got)
	}
}

// refused wants the status, and that the connection serves nothing after it.
func refused(addr string, r Refusal) error {
	c, resp, err := raw.Ask(addr, r.Request(addr))
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if resp.StatusCode != r.Status {
		return fmt.Errorf("status %d, want %d", resp.StatusCode, r.Status)
	}
	if v := resp.Header.Get("Sec-WebSocket-Version"); r.Status == 426 && v != "13" {
		return fmt.Errorf("426 with Sec-WebSocket-Version %q", v)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if rest, _ := io.ReadAll(c.R); len(rest) > 0 {
		return fmt.Errorf("after the refusal: %q", rest)
	}
	return nil
}

// declined wants no extension for the offer alone, and the good one behind it
// taken.
func declined(addr, offer string) error {
	for after, want := range map[string]bool{"": false, ", permessage-deflate; server_no_context_takeover": true} {
		if after != "" && bytes.Count([]byte(offer), []byte(`"`))%2 == 1 {
			continue // the open quote swallows what follows
		}
		c, err := raw.Dial(addr, offer+after)
		if err != nil {
			return err
		}
		got := c.Extensions
		if err := c.Goodbye(); err != nil {
			return err
		}
		_ = c.Close()
		if (got != "") != want {
			return fmt.Errorf("%q answered with %q", offer+after, got)
		}
	}
	return nil
}

func (a Attack) run(addr string) error {
	c, err := raw.Dial(addr, a.Offer)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if a.Offer != "" && c.Extensions == "" {
		return errors.New("deflate was not agreed to")
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = c.Write(a.Bytes)
	}()
	for _, f := range a.Hear {
		got, _, err := message(c, f.B0&0xf)
		if err != nil || !bytes.Equal(got, f.Payload) {
			_ = c.Close()
			<-written
			return fmt.Errorf("got %v %v, want %v", raw.Frame{Payload: got}, err, f)
		}
	}
	if a.End.kind == byUs {
		<-written
		return c.Goodbye()
	}
	if a.End.kind == said {
		return c.Answered(a.End.code)
	}
	return c.WantClose(a.End.code)
}

// message reads a message that may be deflated with a window of its own.
func message(c *raw.Conn, op byte) ([]byte, bool, error) {
	var z *raw.Zip
	if c.Extensions != "" {
		var err error
		if z, err = raw.NewZip(c.Extensions, true); err != nil {
			return nil, false, err
		}
	}
	return receive(c, z, op)
}

// pingFlood sends without reading until the server would hold 64 MiB if it kept
// an answer to each; then the last ping's pong must come, after fewer than all.
func pingFlood(addr string) error {
	c, err := raw.Dial(addr, "")
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	const pings = 500000
	flood := bytes.Repeat(raw.Frame{B0: ping, Payload: bytes.Repeat([]byte("p"), 125)}.Append(nil, true), pings/100)
	for range 100 {
		if _, err := c.Write(flood); err != nil {
			return err
		}
	}
	if err := c.Send(frame(ping, "last")); err != nil {
		return err
	}
	for n := 0; ; n++ {
		f, err := c.Next()
		if err != nil || f.B0 != pong {
			return fmt.Errorf("got %v, %v", f, err)
		}
		if string(f.Payload) == "last" {
			if n >= pings {
				return fmt.Errorf("%d pongs were kept", n)
			}
			return c.Goodbye()
		}
	}
}

func early(addr string) error {
	request := raw.Request(addr, "") + string(say(text, "early").Append(nil, true)) + string(say(text, "bird").Append(nil, true))
	c, err := raw.DialWith(addr, request)
	if err != nil {
		return err
	}
	return Run(c, fine("early", []raw.Frame{frame(text, "early"), frame(text, "bird")}))
}

func halfHandshake(addr string) error {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = nc.Close() }()
	_ = nc.SetDeadline(time.Now().Add(raw.Patience))
	if _, err := io.WriteString(nc, raw.Request(addr, "")[:60]); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, nc)
	if e, ok := err.(net.Error); ok && e.Timeout() {
		return errors.New("the server still waits")
	}
	return nil
}
