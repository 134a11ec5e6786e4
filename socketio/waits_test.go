package socketio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/parser"
)

// silentAdapter is that of a node whose others do not answer in time.
type silentAdapter struct{ adapters.Adapter }

var errSilent = &adapters.PartialError{Missing: 2, Nodes: 1, Cause: adapters.ErrNodeLost}

func (silentAdapter) Rooms(context.Context) ([]string, error) { return []string{"ours"}, errSilent }

func (silentAdapter) Fetch(context.Context, adapters.Target) ([]adapters.SocketInfo, error) {
	return make([]adapters.SocketInfo, 1), errSilent
}

// Whatever asks the other nodes has the same error when they are silent.
func TestSilentNodes(t *testing.T) {
	cfg := socketio.Config{Adapter: func(l adapters.Local) (adapters.Adapter, error) {
		a, err := memory.New()(l)
		return silentAdapter{a}, err
	}}
	runWebSocket(t, cfg, func(r *rig) {
		rooms, roomsErr := r.srv.Rooms(r.Context())
		sockets, socketsErr := r.srv.FetchSockets(r.Context())
		if len(rooms) != 1 || len(sockets) != 1 {
			r.Errorf("rooms %q, %d sockets", rooms, len(sockets))
		}
		for name, err := range map[string]error{"Rooms": roomsErr, "FetchSockets": socketsErr} {
			var missing *socketio.AckError
			if !errors.As(err, &missing) || missing.Missing != 2 || missing.Nodes != 1 || !errors.Is(err, adapters.ErrNodeLost) {
				r.Errorf("%s: %v", name, err)
			}
		}
	})
}

// waitingAdapter is that of a node whose others never answer.
type waitingAdapter struct{ adapters.Adapter }

func (waitingAdapter) wait(ctx context.Context) error {
	<-ctx.Done()
	return &adapters.PartialError{Missing: 1, Nodes: 1, Cause: context.Cause(ctx)}
}

func (a waitingAdapter) Rooms(ctx context.Context) ([]string, error) { return nil, a.wait(ctx) }

func (a waitingAdapter) Fetch(ctx context.Context, _ adapters.Target) ([]adapters.SocketInfo, error) {
	return nil, a.wait(ctx)
}

func (a waitingAdapter) ServerSideEmit(ctx context.Context, _ parser.Args, _ func(parser.Args)) error {
	return a.wait(ctx)
}

// Whatever waits until a context ends tells that it ended, and why.
func TestEndedWaits(t *testing.T) {
	cfg := socketio.Config{Adapter: func(l adapters.Local) (adapters.Adapter, error) {
		a, err := memory.New()(l)
		return waitingAdapter{a}, err
	}}
	why := errors.New("the reason why")
	ends := map[string]struct {
		ctx func(context.Context) (context.Context, context.CancelFunc)
		is  error
	}{
		"before": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			cancel(why)
			return ctx, func() {}
		}, context.Canceled},
		"meanwhile": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(time.Second, func() { cancel(why) })
			return ctx, func() {}
		}, context.Canceled},
		"late": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeoutCause(ctx, time.Second, why)
		}, context.DeadlineExceeded},
	}
	runWebSocket(t, cfg, func(r *rig) {
		s := r.join("/").socket()
		waits := map[string]func(ctx context.Context) error{
			"EmitWithAck":    func(ctx context.Context) error { _, err := s.EmitWithAck(ctx, "q"); return err },
			"Call":           func(ctx context.Context) error { return s.Call(ctx, "q", nil) },
			"Emitter":        func(ctx context.Context) error { _, err := s.Compress(false).EmitWithAck(ctx, "q"); return err },
			"broadcast":      func(ctx context.Context) error { _, err := r.srv.EmitWithAck(ctx, "q"); return err },
			"ServerSideEmit": func(ctx context.Context) error { _, err := r.srv.ServerSideEmitWithAck(ctx, "q"); return err },
			"FetchSockets":   func(ctx context.Context) error { _, err := r.srv.FetchSockets(ctx); return err },
			"Rooms":          func(ctx context.Context) error { _, err := r.srv.Rooms(ctx); return err },
		}
		for when, end := range ends {
			for name, wait := range waits {
				ctx, cancel := end.ctx(r.Context())
				err := wait(ctx)
				cancel()
				var missing *socketio.AckError
				if !errors.As(err, &missing) || !errors.Is(err, end.is) || !errors.Is(err, why) || missing.Timeout() != (when == "late") {
					r.Errorf("%s, ended %s: %v", name, when, err)
				}
			}
		}
	})
}
