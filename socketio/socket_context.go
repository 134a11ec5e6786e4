package socketio

import (
	"context"
	"time"
)

// Context returns the context of the socket: what its handlers are given. It
// ends when the socket disconnects, with the *DisconnectError as cause, and
// carries the values of the request that opened the session.
func (s *Socket) Context() context.Context { return (*handlerContext)(s) }

// handlerContext is a Socket as a context. It costs nothing until somebody asks
// for its Done channel.
type handlerContext Socket

// socketContext is the context with a channel.
type socketContext struct {
	context.Context
	cancel context.CancelCauseFunc
}

// clientKey is the key under which a handler's context has the client.
type clientKey struct{}

// Deadline implements context.Context.
func (h *handlerContext) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements context.Context.
func (h *handlerContext) Done() <-chan struct{} { return (*Socket)(h).realContext().Done() }

// Err implements context.Context.
func (h *handlerContext) Err() error {
	if h.state.Load() >= stateLeaving {
		return (*Socket)(h).realContext().Err()
	}
	return nil
}

// Value implements context.Context.
func (h *handlerContext) Value(key any) any {
	if key == (clientKey{}) {
		return h.client
	}
	if sc := h.ctx.Load(); sc != nil {
		return sc.Value(key) // package context asks for what it must know to pass the cause on
	}
	if h.state.Load() >= stateLeaving {
		return (*Socket)(h).realContext().Value(key)
	}
	return h.client.session.Context().Value(key)
}

// realContext makes the context with a channel, once.
func (s *Socket) realContext() context.Context {
	sc := s.ctx.Load()
	if sc == nil {
		made := new(socketContext)
		made.Context, made.cancel = context.WithCancelCause(s.client.session.Context())
		if !s.ctx.CompareAndSwap(nil, made) {
			made.cancel(nil)
		}
		sc = s.ctx.Load()
	}
	if s.state.Load() >= stateLeaving {
		// It may have been made after the socket left; else this is repetition.
		s.cancelContext()
	}
	return sc
}

// cancelContext ends the context, if somebody asked for it. It is called after
// the state was changed, so that either we see the context or who makes it sees
// the state.
func (s *Socket) cancelContext() {
	if sc := s.ctx.Load(); sc != nil {
		s.client.mu.Lock()
		cause := s.cause
		s.client.mu.Unlock()
		sc.cancel(cause)
	}
}

// handlerOf reports whether ctx is that of a handler of c, or made from one.
func handlerOf(ctx context.Context, c *client) bool {
	of, _ := ctx.Value(clientKey{}).(*client)
	return of != nil && of == c
}
