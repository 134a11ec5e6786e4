package logging

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"

	"github.com/sirupsen/logrus"
	"golang.org/x/term"
)

// New returns a logger that writes to w. level is a name that logrus knows;
// format is text, json, or auto: text if w is a terminal.
func New(w io.Writer, level, format string) (*logrus.Logger, error) {
	l, err := logrus.ParseLevel(level)
	if err != nil {
		return nil, fmt.Errorf("logging: %w", err)
	}
	log := logrus.New()
	log.SetOutput(w)
	log.SetLevel(l)
	const stamp = "2006-01-02T15:04:05.000Z07:00"
	switch terminal := isTerminal(w); {
	case format == "json" || format == "auto" && !terminal:
		log.SetFormatter(&logrus.JSONFormatter{TimestampFormat: stamp})
	case terminal: // who looks on knows the day
		log.SetFormatter(&logrus.TextFormatter{FullTimestamp: true, TimestampFormat: "15:04:05.000"})
	default:
		log.SetFormatter(&logrus.TextFormatter{TimestampFormat: stamp})
	}
	return log, nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Slog returns a slog.Logger that writes into log. Groups become prefixes of
// the field names, joined by dots.
func Slog(log *logrus.Logger) *slog.Logger { return slog.New(&handler{log: log}) }

// handler is immutable: WithAttrs and WithGroup return changed copies.
type handler struct {
	log    *logrus.Logger
	fields logrus.Fields
	prefix string
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, l slog.Level) bool {
	return h.log.IsLevelEnabled(level(l))
}

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	fields := make(logrus.Fields, len(h.fields)+r.NumAttrs())
	maps.Copy(fields, h.fields)
	r.Attrs(func(a slog.Attr) bool {
		add(fields, h.prefix, a)
		return true
	})
	e := h.log.WithContext(ctx).WithFields(fields)
	if !r.Time.IsZero() {
		e = e.WithTime(r.Time)
	}
	e.Log(level(r.Level), r.Message)
	return nil
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := &handler{log: h.log, prefix: h.prefix, fields: make(logrus.Fields, len(h.fields)+len(attrs))}
	maps.Copy(c.fields, h.fields)
	for _, a := range attrs {
		add(c.fields, h.prefix, a)
	}
	return c
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &handler{log: h.log, fields: h.fields, prefix: h.prefix + name + "."}
}

func add(fields logrus.Fields, prefix string, a slog.Attr) {
	v := a.Value.Resolve()
	switch {
	case v.Kind() == slog.KindGroup:
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, b := range v.Group() {
			add(fields, prefix, b)
		}
	case a.Key != "":
		fields[prefix+a.Key] = v.Any()
	}
}

func level(l slog.Level) logrus.Level {
	switch {
	case l >= slog.LevelError:
		return logrus.ErrorLevel
	case l >= slog.LevelWarn:
		return logrus.WarnLevel
	case l >= slog.LevelInfo:
		return logrus.InfoLevel
	}
	return logrus.DebugLevel
}
