package app

import (
	"fmt"
	"net/netip"

	"github.com/sirupsen/logrus"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/internal/loglimit"
	"github.com/hermod-io/hermod/wscore"
)

// refusals logs the connections that were refused, which the operator is asked about
// and the server else says to the client alone. Its method may be called from any goroutine.
type refusals struct {
	log     *logrus.Logger
	proxies []netip.Prefix
	limit   *loglimit.Limiter
}

func newRefusals(log *logrus.Logger, proxies []netip.Prefix) *refusals {
	return &refusals{log: log, proxies: proxies, limit: loglimit.New()}
}

// note logs e. A session that is not known is for debugging only: each client that
// comes back after a restart asks for one.
func (f *refusals) note(e *engineio.ConnectionError) {
	level := logrus.InfoLevel
	if e.Code == engineio.CodeUnknownSID {
		level = logrus.DebugLevel
	}
	if !f.log.IsLevelEnabled(level) {
		return
	}
	missed, ok := f.limit.Allow()
	if !ok {
		return
	}
	if missed > 0 {
		f.log.WithField("count", missed).Info("more connections were refused")
	}
	fields := logrus.Fields{"code": e.Code, "reason": e.Message, "status": e.Status(), "remote": e.Request.RemoteAddr}
	if addr := wscore.ClientAddr(e.Request, f.proxies); addr.IsValid() {
		fields["remote"] = addr.String()
	}
	if origin := e.Request.Header.Get("Origin"); origin != "" {
		fields["origin"] = origin
	}
	for name, v := range e.Context { // such as the text of AllowRequest's error
		if name != "origin" {
			fields["context."+name] = fmt.Sprint(v)
		}
	}
	f.log.WithFields(fields).Log(level, "connection refused")
}
