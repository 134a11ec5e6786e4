package socketio_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/socketio"
)

// TestLog: what is written at which level, under which names, and that clients
// cannot fill it.
func TestLog(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	runWebSocket(t, socketio.Config{Log: log}, func(r *rig) {
		r.srv.On("x", func(context.Context, *socketio.Socket, *socketio.Event) error { return socketio.Errorf("c", "m") })
		p := r.join("/")
		p.send(`42["x","content"]`, "41")
		for range 100 {
			r.open().send("4!")
		}
		time.Sleep(time.Second)
		r.open().send("4!")
		synctest.Wait()
	})
	text := out.String()
	for _, want := range []string{
		"level=INFO msg=connected transport=websocket nsp=/ socket=",
		"level=DEBUG msg=event event=x bytes=",
		`level=INFO msg="handler failed" event=x err="socketio: c: m" nsp=/ socket=`,
		`level=INFO msg=disconnected transport=websocket reason="client namespace disconnect" nsp=/ socket=`,
		`level=WARN msg="connection closed" err="socketio: parse error: unknown packet type" transport=websocket skipped=0`,
		"skipped=99",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no line has %q", want)
		}
	}
	if strings.Contains(text, "content") {
		t.Error("the log has payloads")
	}
	if n := strings.Count(text, `msg="connection closed"`); n != 2 {
		t.Errorf("%d warnings", n)
	}
}
