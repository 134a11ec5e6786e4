package app

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/time/rate"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/wscore"
)

// refusalsPerSecond is how many refused connections are logged of each second: what
// -max-handshakes keeps away shall not fill the disk.
const refusalsPerSecond = 10

// refusals logs the connections that were refused, which the operator is asked about
// and the server else says to the client alone. Its method may be called from any goroutine.
type refusals struct {
	log     *logrus.Logger
	proxies []netip.Prefix
	now     func() time.Time
	limit   *rate.Limiter
	missed  atomic.Int64 // that were not logged since the last one that was
}

func newRefusals(log *logrus.Logger, proxies []netip.Prefix) *refusals {
	return &refusals{log: log, proxies: proxies, now: time.Now, limit: rate.NewLimiter(refusalsPerSecond, refusalsPerSecond)}
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
	if !f.limit.AllowN(f.now(), 1) {
		f.missed.Add(1)
		return
	}
	if n := f.missed.Swap(0); n > 0 {
		f.log.WithField("count", n).Info("more connections were refused")
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
