package socketio_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/socketio"
)

// heldLeave is an adapter whose first LeaveAll takes until it is let go.
type heldLeave struct {
	adapters.Adapter
	once *sync.Once
	free chan struct{}
}

func (a *heldLeave) LeaveAll(m adapters.Member) {
	a.Adapter.LeaveAll(m)
	a.once.Do(func() { <-a.free })
}

// The answer to a CONNECT that is refused does not come behind that to a later
// one, for which the client would take it.
func TestRefusalBeforeTheNextConnect(t *testing.T) {
	var held *heldLeave
	cfg := socketio.Config{Adapter: func(l adapters.Local) (adapters.Adapter, error) {
		a, err := memory.New()(l)
		if l.Name() != "/x" {
			return a, err
		}
		held = &heldLeave{a, new(sync.Once), make(chan struct{})}
		return held, err
	}}
	runWebSocket(t, cfg, func(r *rig) {
		var refused atomic.Bool
		r.srv.Of("/x").Use(func(context.Context, *socketio.Socket) error {
			if refused.CompareAndSwap(false, true) {
				return errors.New("no")
			}
			return nil
		})
		p := r.open()
		p.send("40/x,")
		synctest.Wait()
		p.send("40/x,")
		synctest.Wait()
		close(held.free)
		p.want(`44/x,{"message":"no"}`, "the answer to both")
		p.send("40/x,")
		p.wantMatch("^40/x,", "that to the next")
	})
}
