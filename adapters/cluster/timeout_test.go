package cluster_test

import (
	"context"
	"errors"
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
