package wscore

import (
	"context"
	"log/slog"
	"net/http"
)

// logRefusal writes a line about an upgrade that was refused, unless there were too
// many: anybody can have one refused.
func (h *Handler) logRefusal(r *http.Request, err *HandshakeError) {
	log := h.settings.logger()
	if !log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	if skipped, ok := h.refusals.Allow(); ok {
		log.Info("wscore: upgrade refused", "remote", r.RemoteAddr, "status", err.Status, "reason", err.Msg, "skipped", skipped)
	}
}
