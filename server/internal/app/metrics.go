package app

import (
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/hermod-io/hermod/server/internal/metrics"
)

// watch gives the figures their sources, before anything else is registered.
func (a *App) watch() {
	s := metrics.Sources{SocketIO: a.sio, Namespaces: []string{"/"}, Nodes: a.nodes}
	if a.cfg.WSChat || a.cfg.WSREST {
		s.Plain = func() int { return a.sockets.Len() }
	}
	if a.cert != nil {
		s.Expiry = a.cert.Expiry
	}
	a.metrics.Watch(s)
}

// serveMetrics serves the figures until stop is called, if they are wanted. When the
// listener fails later on, that is logged: the clients matter more.
func (a *App) serveMetrics() (stop func(), err error) {
	if a.metrics == nil {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", a.cfg.MetricsAddr)
	if err != nil {
		return nil, fmt.Errorf("-metrics-addr: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.metrics.Handler(log.New(a.errors, "", 0)))
	hs := &http.Server{
		Handler: mux, ErrorLog: log.New(a.errors, "", 0), MaxHeaderBytes: 64 << 10,
		ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}
	ended := make(chan struct{})
	go func() { // until stop, which waits
		defer close(ended)
		if err := hs.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.log.WithError(err).Error("the metrics are not served any more")
		}
	}()
	a.log.WithField("addr", l.Addr().String()).Info("serving metrics")
	return func() {
		_ = hs.Close()
		<-ended
	}, nil
}
