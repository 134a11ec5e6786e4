package socketio

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/internal/usercode"
)

// logs reports whether lines of that level are wanted. Without it a line is not
// even put together.
func (srv *Server) logs(level slog.Level) bool {
	log := srv.cfg.Log
	return log != nil && log.Enabled(context.Background(), level)
}

// log writes a line about a socket.
func (s *Socket) log(level slog.Level, text string, attrs ...slog.Attr) {
	attrs = append(attrs, slog.String("nsp", s.ns.name), slog.String("socket", s.id))
	s.ns.srv.cfg.Log.LogAttrs(context.Background(), level, text, attrs...)
}

// logEvent writes a line about a packet.
func (s *Socket) logEvent(e *Event) {
	if s.ns.srv.logs(slog.LevelDebug) {
		s.log(slog.LevelDebug, "event", slog.String("event", e.Name()), slog.Int("bytes", e.bytes()), slog.Bool("ack", e.hasID))
	}
}

// logLife writes a line about a socket's beginning or end.
func (s *Socket) logLife(text string, reason Reason) {
	if !s.ns.srv.logs(slog.LevelInfo) {
		return
	}
	attrs := make([]slog.Attr, 0, 4)
	attrs = append(attrs, slog.String("transport", s.client.session.Transport()))
	if reason != "" {
		attrs = append(attrs, slog.String("reason", string(reason)))
	}
	s.log(slog.LevelInfo, text, attrs...)
}

// logFailure writes a line about an error of user code.
func (s *Socket) logFailure(event string, err error) {
	level, attrs := failure(err)
	if s.ns.srv.logs(level) {
		s.log(level, "handler failed", append([]slog.Attr{slog.String("event", event)}, attrs...)...)
	}
}

// logHook writes a line about an error of a hook that is of no socket.
func (n *Namespace) logHook(text string, err error) {
	_ = n.srv.guarded(func() error {
		level, attrs := failure(err)
		if n.srv.logs(level) {
			n.srv.cfg.Log.LogAttrs(context.Background(), level, text, append(attrs, slog.String("nsp", n.name))...)
		}
		return nil
	})
}

// failure is what a line about an error of user code says of it, and how loud.
func failure(err error) (slog.Level, []slog.Attr) {
	attrs := []slog.Attr{slog.Any("err", err)}
	var p *usercode.Panic
	if errors.As(err, &p) {
		return slog.LevelError, append(attrs, slog.String("stack", string(p.Stack)))
	}
	return slog.LevelInfo, attrs
}

// warnings is how often clients may make us warn: ten times a second.
const warnings = time.Second / 10

// limiter thins out lines that clients can cause at will.
type limiter struct {
	last    atomic.Int64 // Unix nanoseconds
	skipped atomic.Uint64
}

// allow reports whether a line may be written, and how many were not since.
func (l *limiter) allow(now time.Time) (skipped uint64, ok bool) {
	last := l.last.Load()
	if now.UnixNano()-last < int64(warnings) || !l.last.CompareAndSwap(last, now.UnixNano()) {
		l.skipped.Add(1)
		return 0, false
	}
	return l.skipped.Swap(0), true
}

// logFault writes a line about a client that broke the protocol.
func (c *client) logFault(err error) {
	if !c.srv.logs(slog.LevelWarn) {
		return
	}
	if skipped, ok := c.srv.faults.allow(time.Now()); ok {
		c.srv.cfg.Log.LogAttrs(context.Background(), slog.LevelWarn, "connection closed", slog.Any("err", err),
			slog.String("transport", c.session.Transport()), slog.Uint64("skipped", skipped))
	}
}

// logRestore writes a line about a session that was not restored because of err:
// unless there is none, or the client is gone.
func (s *Socket) logRestore(err error) {
	srv := s.ns.srv
	if errors.Is(err, adapters.ErrNoSession) || s.state.Load() >= stateLeaving || !srv.logs(slog.LevelWarn) {
		return
	}
	if skipped, ok := srv.unrestored.allow(time.Now()); ok {
		srv.cfg.Log.LogAttrs(context.Background(), slog.LevelWarn, "session not restored", slog.Any("err", err),
			slog.String("nsp", s.ns.name), slog.Uint64("skipped", skipped))
	}
}
