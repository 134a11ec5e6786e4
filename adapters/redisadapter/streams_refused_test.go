package redisadapter

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/internal/redistest"
)

// That Redis refuses what is broadcast with recovery, or sessions, was told nobody.
func TestStreamsRefusalIsLogged(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"eval", "xadd"} {
		server := redistest.Start(t, redistest.Options{})
		var log logLines
		opts := apart(StreamsOptions{})
		opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
		a, _ := recoverer(t, server.Client(), opts)
		m := enterSharded(t, a, &shardedMember{id: "a"}, "r")
		server.Do("acl", "setuser", "default", "-"+command)
		for i := range 100 {
			a.Save(m, adapters.Session{ID: "a", PID: "p"})
			emitN(t, a, i, i+1)
		}
		redistest.Until(t, "the log tells of "+command, func() bool {
			text := log.text()
			return strings.Contains(text, "commands are refused") && strings.Contains(text, "NOPERM") && strings.Contains(text, command)
		})
		if n := strings.Count(log.text(), "refused"); n > 50 {
			t.Errorf("%s: %d times in the log", command, n)
		}
	}
}

// logLines is a log that can be read while it is written.
type logLines struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logLines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
