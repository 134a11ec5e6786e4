package cluster_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/socketio/parser"
)

// The timeout of a request holds from its beginning: while the nodes could not be
// counted, because Redis hung, it did not run.
func TestTimeoutBoundsTheCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := cluster.Make(func(ns string, r cluster.Receiver) (cluster.Bus, error) {
			b, err := cluster.NewLoopback().Connect(ns, r)
			return &slowCount{Bus: counting{b}, more: 2}, err
		}, cluster.Options{}, new(local))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = a.Close(context.Background()) }()
		const timeout = time.Second
		target := adapters.Target{Flags: adapters.Flags{Timeout: timeout}}
		p := &parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(`["e"]`)}}
		for name, ask := range map[string]func() error{
			"Fetch":        func() error { _, err := a.Fetch(t.Context(), target); return err },
			"BroadcastAck": func() error { return a.BroadcastAck(t.Context(), p, target, func(parser.Args) {}) },
		} {
			begin := time.Now()
			err := ask()
			if p := partialOf(t, err); p.Nodes != 2 || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %+v", name, p)
			}
			if d := time.Since(begin); d != timeout {
				t.Errorf("%s took %v, want %v", name, d, timeout)
			}
		}
	})
}

// answering is a namespace whose members answer at once.
type answering struct{ *local }

func (answering) DeliverAck(_ *parser.Packet, _ adapters.Flags, to iter.Seq[adapters.Member], each func(adapters.Member, parser.Args)) (n int, stop func()) {
	for m := range to {
		n++
		each(m, parser.Args{JSON: []byte(`["yes"]`)})
	}
	return n, func() {}
}

// The answer of the only socket that is asked ends the wait, whatever the other
// nodes do: one that hung kept all such requests of the cluster until their timeout.
func TestSingleAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loop, f := cluster.NewLoopback(), new(frozen)
		var all []*cluster.Adapter
		for i, connect := range []cluster.Connect{loop.Connect, loop.Connect, freezable(loop.Connect, f)} {
			a, err := cluster.Make(connect, cluster.Options{HeartbeatTimeout: time.Hour}, answering{new(local)})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = a.Close(context.Background()) }()
			if err := a.Join(t.Context(), &socket{id: "s"}, numbers[i]); err != nil {
				t.Fatal(err)
			}
			all = append(all, a)
		}
		synctest.Wait()
		f.set(true)
		p := &parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(`["e"]`)}}
		for _, room := range numbers[:2] { // of this node and of another
			var got []string
			target := adapters.Target{Rooms: []string{room}, Flags: adapters.Flags{Single: true, Timeout: time.Minute}}
			begin := time.Now()
			err := all[0].BroadcastAck(t.Context(), p, target, func(a parser.Args) { got = append(got, string(a.JSON)) })
			if d := time.Since(begin); err != nil || len(got) != 1 || d != 0 {
				t.Errorf("%s: %q, %v after %v", room, got, err, d)
			}
		}
		target := adapters.Target{Rooms: numbers[2:], Flags: adapters.Flags{Single: true, Timeout: time.Minute}}
		err := all[0].BroadcastAck(t.Context(), p, target, func(parser.Args) {})
		if p := partialOf(t, err); p.Nodes != 1 {
			t.Errorf("of the node that hangs: %+v", p)
		}
	})
}

var numbers = []string{"one", "two", "three"}
