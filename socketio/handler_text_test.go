package socketio_test

import (
	"context"
	"testing"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
)

// TestInvalidText: what is no UTF-8 ends a WebSocket, and is U+FFFD in the body of a
// POST, as for the official server.
func TestInvalidText(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var got list[string]
		r.srv.On("x", socketio.Receive(func(ctx context.Context, s *socketio.Socket, text string) error {
			got.add(text)
			return nil
		}))
		p := r.join("/")
		_ = p.write(message("42[\"x\",\"a\xffb\"]"))
		if r.transport == engineio.WebSocket {
			p.wantClosed("the text was no UTF-8")
			return
		}
		r.eventually("the event", func() bool { return len(got.all()) == 1 })
		if text := got.all()[0]; text != "a\ufffdb" {
			r.Errorf("argument %q", text)
		}
	})
}
