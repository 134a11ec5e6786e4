package sioclient

import (
	"context"
	"errors"
	"log/slog"

	"github.com/hermod-io/hermod/internal/usercode"
)

// logs reports whether lines of that level are wanted.
func (m *Manager) logs(level slog.Level) bool {
	return m.cfg.Log != nil && m.cfg.Log.Enabled(context.Background(), level)
}

// logLink writes a line about the connection.
func (m *Manager) logLink(text string, err error) {
	if !m.logs(slog.LevelInfo) {
		return
	}
	var attrs []slog.Attr
	if err != nil {
		attrs = append(attrs, slog.Any("err", err))
	}
	m.cfg.Log.LogAttrs(context.Background(), slog.LevelInfo, text, attrs...)
}

// logLife writes a line about a Socket's beginning or end.
func (m *Manager) logLife(s *Socket, c *conn, text string, reason Reason) {
	if !m.logs(slog.LevelInfo) {
		return
	}
	attrs := []slog.Attr{slog.String("nsp", s.nsp), slog.String("socket", c.id)}
	if reason != "" {
		attrs = append(attrs, slog.String("reason", string(reason)))
	}
	m.cfg.Log.LogAttrs(context.Background(), slog.LevelInfo, text, attrs...)
}

// logFailure writes a line about an error of user code.
func (m *Manager) logFailure(s *Socket, event string, err error) {
	level := slog.LevelInfo
	attrs := []slog.Attr{slog.String("nsp", s.nsp), slog.String("event", event), slog.Any("err", err)}
	var p *usercode.Panic
	if errors.As(err, &p) {
		level = slog.LevelError
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	if m.logs(level) {
		m.cfg.Log.LogAttrs(context.Background(), level, "handler failed", attrs...)
	}
}

// logPanic writes a line about a panic that nobody is told of.
func (m *Manager) logPanic(err error) {
	if !m.logs(slog.LevelError) {
		return
	}
	attrs := []slog.Attr{slog.Any("err", err)}
	var p *usercode.Panic
	if errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	m.cfg.Log.LogAttrs(context.Background(), slog.LevelError, "hook failed", attrs...)
}

// logDropped writes a line about an event that was given up after all attempts.
func (m *Manager) logDropped(s *Socket, err error) {
	if m.logs(slog.LevelWarn) {
		m.cfg.Log.LogAttrs(context.Background(), slog.LevelWarn, "event not acknowledged", slog.String("nsp", s.nsp), slog.Any("err", err))
	}
}
