package app

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/time/rate"
)

// linesPerSecond is how many lines that strangers cause are logged of each second: what
// -max-handshakes keeps away shall not fill the disk.
const linesPerSecond = 10

// atMost bounds such lines. Its method may be called from any goroutine.
type atMost struct {
	now    func() time.Time
	limit  *rate.Limiter
	missed atomic.Int64 // that were not logged since the last one that was
}

func newAtMost() *atMost {
	return &atMost{now: time.Now, limit: rate.NewLimiter(linesPerSecond, linesPerSecond)}
}

// take reports whether there may be a line, and how many were left out before it.
func (m *atMost) take() (missed int64, ok bool) {
	if !m.limit.AllowN(m.now(), 1) {
		m.missed.Add(1)
		return 0, false
	}
	return m.missed.Swap(0), true
}

// httpErrors is an io.Writer that logs what net/http has to say, which is a line each.
type httpErrors struct {
	log *logrus.Logger
	*atMost
}

// Write implements io.Writer.
func (w httpErrors) Write(p []byte) (int, error) {
	line := strings.TrimSpace(string(p))
	if !strangers(line) {
		w.log.Warn(line)
		return len(p), nil
	}
	if w.log.IsLevelEnabled(logrus.InfoLevel) {
		if missed, ok := w.take(); ok {
			if missed > 0 {
				w.log.WithField("count", missed).Info("more connections failed")
			}
			w.log.Info(line)
		}
	}
	return len(p), nil
}

// strangers reports whether anybody can cause that line at will: whoever connects and
// says nothing of TLS, or speaks HTTP/2 badly, is one.
func strangers(line string) bool {
	switch {
	case strings.HasPrefix(line, "http2: panic serving "): // a fault of ours
		return false
	case strings.HasPrefix(line, "http: TLS handshake error "), strings.HasPrefix(line, "http2: "):
		return true
	}
	return strings.HasPrefix(line, "timeout waiting for SETTINGS frames ") // HTTP/2, too
}
