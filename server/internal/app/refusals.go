package app

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

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

	mu     sync.Mutex // guards what follows
	second int64      // that of the counts
	count  int
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
	missed, ok := f.admit()
	if missed > 0 {
		f.log.WithField("count", missed).Info("more connections were refused")
	}
	if !ok {
		return
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

// admit reports whether one more is to be logged in this second, and how many of the
// one before were not.
func (f *refusals) admit() (missed int, ok bool) {
	now := f.now().Unix()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.second != now {
		missed = max(0, f.count-refusalsPerSecond)
		f.second, f.count = now, 0
	}
	f.count++
	return missed, f.count <= refusalsPerSecond
}
