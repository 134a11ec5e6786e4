package sioclient_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hermod-io/hermod/socketio/sioclient"
)

// Whatever waits until a context ends tells that it ended, and why.
func TestEndedWaits(t *testing.T) {
	why := errors.New("the reason why")
	runWebSocket(t, nil, func(w *world) {
		s := w.join("/", w.config())
		held, release := make(chan struct{}), make(chan struct{})
		s.On("hold", func(context.Context, *sioclient.Socket, *sioclient.Event) error {
			close(held)
			<-release
			return nil
		})
		if err := w.srv.Emit("hold"); err != nil {
			w.Fatal(err)
		}
		<-held
		cfg := w.config()
		cfg.Auth = func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() }
		never := w.socket("/", cfg)
		ack := func(ctx context.Context) error {
			_, err := s.EmitWithAck(ctx, "never")
			var missing *sioclient.AckError
			if !errors.As(err, &missing) || missing.Timeout() != errors.Is(err, context.DeadlineExceeded) {
				w.Errorf("an ack: %v", err)
			}
			return err
		}
		for _, wait := range []struct {
			name string
			of   func(ctx context.Context) error
		}{{"EmitWithAck", ack}, {"Connect", never.Connect}, {"Close", s.Close}} {
			for when, is := range map[string]error{"before": context.Canceled, "meanwhile": context.Canceled, "late": context.DeadlineExceeded} {
				ctx, cancel := context.WithCancelCause(w.Context())
				stop := context.CancelFunc(func() { cancel(nil) })
				switch when {
				case "before":
					cancel(why)
				case "meanwhile":
					time.AfterFunc(time.Second, func() { cancel(why) })
				case "late":
					ctx, stop = context.WithTimeoutCause(ctx, time.Second, why)
				}
				if err := wait.of(ctx); !errors.Is(err, is) || !errors.Is(err, why) {
					w.Errorf("%s, ended %s: %v", wait.name, when, err)
				}
				stop()
			}
		}
		close(release)
	})
}
