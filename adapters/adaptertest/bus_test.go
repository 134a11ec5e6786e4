package adaptertest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/socketio/parser"
)

// busNode is the smallest adapter of several nodes: in-memory ones that hand
// one another what is to be done, in order, each on a goroutine of its own. It
// shows that the cases for several nodes can be passed.
type busNode struct {
	adapters.Adapter
	local adapters.Local
	all   []*busNode // the cluster, this one included
	inbox chan func()
	once  sync.Once
	ended chan struct{}
}

// newBus is a Config.New. The goroutine of each node ends with its Close, which
// waits for it.
func newBus(t testing.TB, locals []adapters.Local) []adapters.Adapter {
	all := make([]*busNode, len(locals))
	var nodes []adapters.Adapter
	for i, l := range locals {
		a, err := memory.New()(l)
		if err != nil {
			t.Fatal(err)
		}
		n := &busNode{Adapter: a, local: l, all: all, inbox: make(chan func(), 1<<14), ended: make(chan struct{})}
		all[i] = n
		nodes = append(nodes, n)
		go func() {
			defer close(n.ended)
			for f := range n.inbox {
				f()
			}
		}()
	}
	return nodes
}

func (n *busNode) Close(ctx context.Context) error {
	n.once.Do(func() { close(n.inbox) })
	<-n.ended
	return n.Adapter.Close(ctx)
}

// others queues f for each of the other nodes.
func (n *busNode) others(t adapters.Target, f func(o *busNode)) {
	for _, o := range n.all {
		if o != n && !t.Flags.Local {
			o.inbox <- func() { f(o) }
		}
	}
}

func (n *busNode) Rooms(ctx context.Context) ([]string, error) {
	var all []string
	for _, o := range n.all {
		rooms, err := o.Adapter.Rooms(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, rooms...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func (n *busNode) Broadcast(p *parser.Packet, t adapters.Target) error {
	n.others(t, func(o *busNode) { _ = o.Adapter.Broadcast(p, t) }) // in memory there is no error
	return n.Adapter.Broadcast(p, t)
}

func (n *busNode) BroadcastAck(ctx context.Context, p *parser.Packet, t adapters.Target, each func(parser.Args)) error {
	errs := make([]error, len(n.all))
	var nodes sync.WaitGroup
	for i, o := range n.all {
		if o == n || !t.Flags.Local {
			nodes.Go(func() { errs[i] = o.Adapter.BroadcastAck(ctx, p, t, each) })
		}
	}
	nodes.Wait()
	var sum *adapters.PartialError
	for _, err := range errs {
		var partial *adapters.PartialError
		switch {
		case err == nil:
		case !errors.As(err, &partial):
			return err
		case sum == nil:
			sum = partial
		default:
			sum.Missing += partial.Missing
		}
	}
	if sum != nil {
		return sum
	}
	return nil
}

func (n *busNode) SocketsJoin(ctx context.Context, t adapters.Target, rooms ...string) error {
	n.others(t, func(o *busNode) { _ = o.Adapter.SocketsJoin(ctx, t, rooms...) }) // it is not closed
	return n.Adapter.SocketsJoin(ctx, t, rooms...)
}

func (n *busNode) SocketsLeave(ctx context.Context, t adapters.Target, rooms ...string) error {
	n.others(t, func(o *busNode) { _ = o.Adapter.SocketsLeave(ctx, t, rooms...) }) // it is not closed
	return n.Adapter.SocketsLeave(ctx, t, rooms...)
}

func (n *busNode) DisconnectSockets(ctx context.Context, t adapters.Target, closeConn bool) error {
	n.others(t, func(o *busNode) { _ = o.Adapter.DisconnectSockets(ctx, t, closeConn) }) // in memory there is no error
	return n.Adapter.DisconnectSockets(ctx, t, closeConn)
}

func (n *busNode) Fetch(ctx context.Context, t adapters.Target) ([]adapters.SocketInfo, error) {
	var all []adapters.SocketInfo
	for _, o := range n.all {
		if o != n && t.Flags.Local {
			continue
		}
		infos, err := o.Adapter.Fetch(ctx, t)
		if err != nil {
			return nil, err
		}
		all = append(all, infos...)
	}
	return all, nil
}

func (n *busNode) ServerSideEmit(ctx context.Context, args parser.Args, each func(parser.Args)) error {
	if each == nil {
		n.others(adapters.Target{}, func(o *busNode) { o.local.ServerSideEvent(args, nil) })
		return nil
	}
	answers := make(chan parser.Args, len(n.all))
	n.others(adapters.Target{}, func(o *busNode) { o.local.ServerSideEvent(args, func(a parser.Args) { answers <- a }) })
	for missing := len(n.all) - 1; missing > 0; missing-- {
		select {
		case a := <-answers:
			each(a)
		case <-ctx.Done():
			return &adapters.PartialError{Missing: missing, Cause: context.Cause(ctx)}
		}
	}
	return nil
}

// TestClusterPasses runs the suite on one and on three nodes.
func TestClusterPasses(t *testing.T) {
	t.Parallel()
	Run(t, Config{Nodes: 3, New: newBus})
}

// TestForgetfulClusterIsFound: a cluster that applies the exceptions on the
// sender's node alone is red.
func TestForgetfulClusterIsFound(t *testing.T) {
	t.Parallel()
	cfg := Config{
		New: func(t testing.TB, locals []adapters.Local) []adapters.Adapter {
			nodes := newBus(t, locals)
			for i, n := range nodes {
				nodes[i] = forgetful{n.(*busNode)}
			}
			return nodes
		},
		patience: 4 * short,
	}
	for _, name := range []string{"Except", "Model"} {
		if r := recordCase(cfg, name, 2); !r.Failed() {
			t.Errorf("the case %s is green", name)
		}
	}
}

type forgetful struct{ *busNode }

func (f forgetful) Broadcast(p *parser.Packet, t adapters.Target) error {
	all := t
	all.Except = nil
	f.others(t, func(o *busNode) { _ = o.Adapter.Broadcast(p, all) }) // in memory there is no error
	return f.Adapter.Broadcast(p, t)
}
