package socketio_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/socketio"
)

// TestMiddlewareOrder: the middlewares of a namespace run in their order, once for
// each CONNECT, until one refuses; one that is added meanwhile is for the next.
//
// compat: namespace.use
func TestMiddlewareOrder(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var j journal
		var refuse bool
		gate := make(chan struct{})
		note := func(name string) {
			r.srv.Use(func(context.Context, *socketio.Socket) error { j.add("%s", name); return nil })
		}
		note("first")
		r.srv.Use(func(context.Context, *socketio.Socket) error {
			j.add("second")
			if refuse {
				return errors.New("no")
			}
			<-gate
			return nil
		})
		note("third")
		p := r.open()
		refuse = true
		p.send("40")
		p.want(`44{"message":"no"}`, "refused")
		j.want(r.T, "first", "second")
		refuse = false
		p.send("40")
		synctest.Wait() // in the second
		note("fourth")
		close(gate)
		p.wantMatch(`^40\{`, "accepted")
		j.want(r.T, "first", "second", "first", "second", "third")
		r.join("/")
		j.want(r.T, "first", "second", "first", "second", "third", "first", "second", "third", "fourth")
	})
}
