package sioclient_test

import (
	"context"
	"testing"

	"github.com/hermod-io/hermod/socketio/sioclient"
)

// Catch-alls have an order, can be listed, and are removed one by one, as those of the
// server and of the official client.
func TestCatchAlls(t *testing.T) {
	runWebSocket(t, echoes, func(w *world) {
		t := w.T
		s := w.join("", w.config())
		in, out := new(log), new(log)
		hear := func(name string) sioclient.Handler {
			return func(context.Context, *sioclient.Socket, *sioclient.Event) error { in.add("%s", name); return nil }
		}
		overhear := func(name string) func(*sioclient.Socket, *sioclient.Event) {
			return func(_ *sioclient.Socket, e *sioclient.Event) { out.add("%s %s", name, e.Raw(0)) }
		}
		_ = s.OnAny(hear("b"))
		offC := s.OnAny(hear("c"))
		offA := s.PrependAny(hear("a"))
		_ = s.OnAnyOutgoing(overhear("b"))
		offOutC := s.OnAnyOutgoing(overhear("c"))
		offOutA := s.PrependAnyOutgoing(overhear("a"))
		heard := 0
		echo := func(i, handlers int) {
			t.Helper()
			if n, m := len(s.ListenersAny()), len(s.ListenersAnyOutgoing()); n != handlers || m != handlers {
				t.Errorf("%d and %d are listed, want %d", n, m, handlers)
			}
			if _, err := s.EmitWithAck(t.Context(), "echo", i); err != nil {
				t.Fatal(err)
			}
			w.eventually("the echo", func() bool { return len(in.all()) == heard+handlers })
			heard += handlers
		}
		echo(1, 3)
		offA()
		offOutA()
		offA() // once more does nothing
		echo(2, 2)
		offC()
		offOutC()
		echo(3, 1)
		s.OffAny()
		s.OffAnyOutgoing()
		echo(4, 0)
		out.want(t, "a 1", "b 1", "c 1", "b 2", "c 2", "b 3")
		in.want(t, "a", "b", "c", "b", "c", "b")
	})
}
