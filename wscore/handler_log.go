package wscore

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// refusalsPerSecond is how many refused upgrades are logged of each second: anybody
// can have one refused.
const refusalsPerSecond = 10

// refusals counts the lines about refused upgrades.
type refusals struct {
	mu      sync.Mutex // guards what follows
	begun   time.Time  // when the current second began
	written int        // lines in it
	skipped int        // lines that were not written since the last one that was
}

// allow reports whether a line may be written at now, and how many were not since
// the one before.
func (f *refusals) allow(now time.Time) (skipped int, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.begun) >= time.Second {
		f.begun, f.written = now, 0
	}
	if f.written == refusalsPerSecond {
		f.skipped++
		return 0, false
	}
	f.written++
	skipped, f.skipped = f.skipped, 0
	return skipped, true
}

// logRefusal writes a line about an upgrade that was refused, unless there were too
// many.
func (h *Handler) logRefusal(r *http.Request, err *HandshakeError) {
	log := h.settings.logger()
	if !log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	if skipped, ok := h.refusals.allow(time.Now()); ok {
		log.Info("wscore: upgrade refused", "remote", r.RemoteAddr, "status", err.Status, "reason", err.Msg, "skipped", skipped)
	}
}
