package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
)

// limited makes the main namespace answer "x" and note what OnError hears.
func limited(r *rig) (heard *list[string]) {
	heard = new(list[string])
	r.srv.On("x", ack("x"))
	r.srv.OnError(func(s *socketio.Socket, event string, err error) {
		var over *socketio.LimitError
		if !errors.As(err, &over) {
			r.Errorf("%s: %v", event, err)
			return
		}
		heard.add(fmt.Sprintf("%s %s %v", event, over.Limit, over.Max))
	})
	return heard
}

func TestNamespacesPerConnection(t *testing.T) {
	run(t, socketio.Config{Limits: socketio.Limits{NamespacesPerConnection: 2}}, func(r *rig) {
		r.srv.OfPattern("/n{id}")
		p := r.join("/")
		p.join("/n1")
		p.send("40/n2,")
		p.want(`44/n2,{"message":"limit exceeded","data":{"code":"limit","limit":"NamespacesPerConnection","max":2}}`, "a third")
		p.send("41/n1,")
		p.join("/n2")
		p.send("40/n2,{}")
		p.wantClosed("another CONNECT is a fault, whatever the limit")
		q := r.join("/n2")
		q.join("/n3")
		if n := r.srv.Stats().Refused; n != (socketio.Refusals{NamespacesPerConnection: 1}) {
			r.Errorf("%+v", n)
		}
	})
}

func TestDynamicNamespacesLimit(t *testing.T) {
	cfg := socketio.Config{
		CleanupEmptyChildNamespaces: true,
		Limits:                      socketio.Limits{DynamicNamespaces: 2, NamespaceNameLength: 5},
	}
	run(t, cfg, func(r *rig) {
		rooms := r.srv.OfPattern("/n{id}")
		p := r.join("/n1")
		p.join("/n2")
		p.send("40/n3,")
		p.want(`44/n3,{"message":"limit exceeded","data":{"code":"limit","limit":"DynamicNamespaces","max":2}}`, "a third")
		q := r.join("/n2") // which is there
		if n := r.srv.Of("/n4"); n.Parent() != rooms {
			r.Error("the program's own are not bound")
		}
		p.send("41/n1,")
		r.eventually("it is removed", func() bool { return len(slices.Collect(rooms.Children())) == 2 })
		q.send("40/n5,")
		q.wantMatch("^44/n5,", "n2 and n4 are two")
		q.send("40/n12345,")
		q.want(`44/n12345,{"message":"limit exceeded","data":{"code":"limit","limit":"NamespaceNameLength","max":5}}`, "too long")
		r.srv.Of("/n12345")
		q.join("/n12345") // the program's own name
		if n := r.srv.Stats().Refused; n != (socketio.Refusals{DynamicNamespaces: 2, NamespaceNameLength: 1}) {
			r.Errorf("%+v", n)
		}
	})
}

func TestRoomsPerSocket(t *testing.T) {
	runWebSocket(t, socketio.Config{Limits: socketio.Limits{RoomsPerSocket: 3}}, func(r *rig) {
		r.srv.On("join", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			var room string
			return errors.Join(e.Scan(&room), s.Join(ctx, room))
		})
		p := r.join("/")
		s := p.socket()
		if err := s.Join(r.Context(), "a", "b", "a", s.ID()); err != nil {
			r.Error(err)
		}
		var over *socketio.LimitError
		if err := s.Join(r.Context(), "c", "d"); !errors.As(err, &over) || over.Limit != "RoomsPerSocket" || len(s.Rooms()) != 3 {
			r.Errorf("%v, %v", err, s.Rooms())
		}
		if err := s.Join(r.Context(), "c", "a"); err != nil {
			r.Error(err)
		}
		p.send(`421["join","d"]`)
		p.want(`431[{"error":{"code":"limit","message":"limit exceeded","data":{"limit":"RoomsPerSocket","max":3}}}]`, "told in the ack")
		s.Leave("a", "b", "c")
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() { _ = s.Join(r.Context(), fmt.Sprint(i)) })
		}
		wg.Wait()
		if n := len(s.Rooms()); n > 4 {
			r.Errorf("%d rooms", n)
		}
		if err := r.srv.SocketsJoin(r.Context(), "v", "w", "x", "y", "z"); err != nil || len(s.Rooms()) < 6 {
			r.Errorf("SocketsJoin is not bound: %v, %v", err, s.Rooms())
		}
	})
}

func TestEventNameLength(t *testing.T) {
	run(t, socketio.Config{Limits: socketio.Limits{EventNameLength: 5}}, func(r *rig) {
		heard := limited(r)
		r.srv.OnAny(func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			if len(e.Name()) > 5 {
				r.Errorf("%q was handled", e.Name())
			}
			return nil
		})
		p := r.join("/")
		p.send(`421["123456","x"]`)
		p.want(`431[{"error":{"code":"limit","message":"limit exceeded","data":{"limit":"EventNameLength","max":5}}}]`, "too long")
		p.send(`42["` + strings.Repeat("é", 1000) + `"]`)
		p.send(`421["x"]`)
		p.want(`431["x"]`, "short enough")
		if got := heard.all(); !slices.Equal(got, []string{"12345 EventNameLength 5", "éé EventNameLength 5"}) {
			r.Errorf("heard %q", got)
		}
	})
}

func TestEventsPerSecond(t *testing.T) {
	run(t, socketio.Config{Limits: socketio.Limits{EventsPerSecond: 2, EventsBurst: 3}}, func(r *rig) {
		heard := limited(r)
		r.srv.Of("/other")
		p := r.join("/") // one
		for range 2 {
			p.send(`421["x"]`)
			p.want(`431["x"]`, "within the burst")
		}
		const tooMuch = `[{"error":{"code":"limit","message":"limit exceeded","data":{"limit":"EventsPerSecond","max":2}}}]`
		p.send(`422["x"]`)
		p.want("432"+tooMuch, "too fast")
		p.send(`42["x"]`, "40/other,")
		p.want(`44/other,{"message":"limit exceeded","data":{"code":"limit","limit":"EventsPerSecond","max":2}}`, "a CONNECT counts")
		time.Sleep(500 * time.Millisecond)
		p.send(`423["x"]`)
		p.want(`433["x"]`, "one more")
		p.send(`424["x"]`)
		p.want("434"+tooMuch, "one was all")
		go p.socket().EmitWithAck(r.Context(), "q")
		p.send("43" + lastAsk(p) + "[]") // acks are never refused
		synctest.Wait()                  // for OnLimit, which follows the ack
		if got := heard.all(); len(got) != 3 || got[0] != "x EventsPerSecond 2" {
			r.Errorf("heard %q", got)
		}
		if n := r.srv.Stats().Refused; n != (socketio.Refusals{EventsPerSecond: 4}) {
			r.Errorf("%+v", n)
		}
		r.join("/") // another client has its own
	})
}

func TestBytesPerSecond(t *testing.T) {
	cfg := socketio.Config{Limits: socketio.Limits{BytesPerSecond: 100, BytesBurst: 300}}
	runWebSocket(t, cfg, func(r *rig) {
		limited(r)
		p := r.join("/")
		large := strings.Repeat("a", 250)
		p.send(`421["x","` + large + `"]`)
		p.want(`431["x"]`, "within the burst")
		p.send(`452-2["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, "b"+strings.Repeat("AAAA", 20), "bAAAA")
		p.want(`432[{"error":{"code":"limit","message":"limit exceeded","data":{"limit":"BytesPerSecond","max":100}}}]`, "an attachment was too much")
		time.Sleep(2 * time.Second)
		p.send(`423["x"]`)
		p.want(`433["x"]`, "time has passed")
	})
}

func TestDisconnectOnExcess(t *testing.T) {
	cfg := socketio.Config{Limits: socketio.Limits{EventsPerSecond: 1, EventsBurst: 2, OnExcess: socketio.DisconnectClient}}
	run(t, cfg, func(r *rig) {
		heard := limited(r)
		p := r.join("/")
		ctx := p.socket().Context()
		p.send(`421["x"]`)
		p.want(`431["x"]`, "within the burst")
		_ = p.write(`422["x"]`) // polling: the answer may come after the end
		p.wantClosed("too fast")
		var (
			left *socketio.DisconnectError
			over *socketio.LimitError
		)
		<-ctx.Done()
		if err := context.Cause(ctx); !errors.As(err, &left) || !errors.As(err, &over) || over.Limit != "EventsPerSecond" ||
			left.Reason != socketio.ForcedClose && r.transport == engineio.WebSocket {
			r.Errorf("the cause is %v", err)
		}
		synctest.Wait()
		if got := heard.all(); len(got) != 1 {
			r.Errorf("heard %q", got)
		}
	})
}

// TestLimitsOff: negative is off.
func TestLimitsOff(t *testing.T) {
	off := socketio.Limits{NamespacesPerConnection: -1, DynamicNamespaces: -1, NamespaceNameLength: -1, EventsPerSecond: -1}
	runWebSocket(t, socketio.Config{Limits: off}, func(r *rig) {
		r.srv.OfPattern("/n{id}")
		p := r.join("/n" + strings.Repeat("x", 3000))
		for i := range 1100 {
			p.join(fmt.Sprintf("/n%d", i))
		}
	})
}

// A burst belongs to its rate and cannot be switched off alone: nobody could connect.
func TestNegativeBurst(t *testing.T) {
	for _, l := range []socketio.Limits{{EventsPerSecond: 1, EventsBurst: -1}, {BytesPerSecond: 1e6, BytesBurst: -1}, {EventsBurst: -1}} {
		if srv, err := socketio.New(socketio.Config{Limits: l}); err == nil {
			t.Errorf("%+v is accepted", l)
			_ = srv.Close(t.Context())
		}
	}
}
