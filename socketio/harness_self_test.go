package socketio_test

import (
	"context"
	"testing"

	"github.com/hermod-io/hermod/socketio"
)

// TestHarness explains the harness.
func TestHarness(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		r.srv.On("say", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			vs, err := e.Values()
			if err != nil {
				return err
			}
			return s.Emit("said", vs...)
		})
		p := r.join("/")
		p.send(`42["say","hi"]`)
		p.want(`42["said","hi"]`, "an echo")
		p.send("42[\"say\",1]\x1e42[\"say\",2]")
		p.want(`42["said",1]`, "the first of two in one write")
		p.want(`42["said",2]`, "the second")
		p.send(`451-["say",{"_placeholder":true,"num":0}]`, "b\x00\x1f\x02")
		p.want(`451-["said",{"_placeholder":true,"num":0}]`, "the header of a binary event")
		p.want("b\x00\x1f\x02", "its attachment")
		p.wantIdle("all is answered")
		p.send(`42`)
		p.send("4nonsense")
		p.wantClosed("malformed packets close the connection")
	})
}
