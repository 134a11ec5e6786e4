package app

import (
	"strings"

	"github.com/sirupsen/logrus"

	"github.com/hermod-io/hermod/internal/loglimit"
)

// httpErrors is an io.Writer that logs what net/http has to say, which is a line each.
type httpErrors struct {
	log   *logrus.Logger
	limit *loglimit.Limiter // of lines that strangers cause
}

// Write implements io.Writer.
func (w httpErrors) Write(p []byte) (int, error) {
	line := strings.TrimSpace(string(p))
	if !strangers(line) {
		w.log.Warn(line)
		return len(p), nil
	}
	if w.log.IsLevelEnabled(logrus.InfoLevel) {
		if missed, ok := w.limit.Allow(); ok {
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
