package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/internal/loglimit"
	"github.com/hermod-io/hermod/server/internal/certificate"
	"github.com/hermod-io/hermod/server/internal/chat"
	"github.com/hermod-io/hermod/server/internal/config"
	"github.com/hermod-io/hermod/server/internal/logging"
	"github.com/hermod-io/hermod/server/internal/metrics"
	"github.com/hermod-io/hermod/server/internal/nodes"
	"github.com/hermod-io/hermod/server/internal/routes"
	"github.com/hermod-io/hermod/server/internal/sockets"
	"github.com/hermod-io/hermod/server/web"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/wscore"
)

// App is a server that may be run once.
type App struct {
	cfg      config.Config
	log      *logrus.Logger
	nodes    *nodes.Nodes // nil without other nodes
	sio      *socketio.Server
	sockets  *sockets.Sockets
	cert     *certificate.Files // nil without TLS
	metrics  *metrics.Metrics   // nil if they are not wanted
	errors   httpErrors
	began    time.Time
	http     *http.Server
	draining atomic.Bool
}

// New puts an App together. It listens to nothing yet. With -sessions-anywhere it
// waits for Redis, until ctx ends.
func New(ctx context.Context, cfg config.Config, log *logrus.Logger) (*App, error) {
	sc := cfg.SocketIO()
	sc.Log = logging.Slog(log)
	if sc.ClientFiles == nil {
		log.WithField("dir", cfg.ClientDir).Warn("the browser client is not there; make web fetches it")
	}
	a := &App{cfg: cfg, log: log, errors: httpErrors{log, loglimit.New()}, began: time.Now()}
	err := a.secure(sc.Log)
	if err != nil {
		return nil, err
	}
	if a.nodes, err = nodes.New(ctx, cfg.Nodes(), sc.Log); err != nil {
		return nil, err
	}
	sc.Adapter, sc.Engine.Router = a.nodes.Adapter(), a.nodes.Router()
	if cfg.MetricsAddr != "" {
		a.metrics = metrics.New()
	}
	refused := newRefusals(log, cfg.Proxies())
	sc.Engine.OnConnectionError = func(e *engineio.ConnectionError) {
		a.metrics.Refused(e)
		refused.note(e)
	}
	if a.sio, err = socketio.New(sc); err != nil {
		return nil, errors.Join(err, a.nodes.Close(ctx))
	}
	a.watch()
	chat.Register(a.sio, chat.Config{History: cfg.ChatHistory, MaxFile: cfg.ChatMaxFile})
	a.open(sc.Log)
	return a, nil
}

// secure reads the certificate, if there is to be one.
func (a *App) secure(log *slog.Logger) (err error) {
	if a.cfg.TLSCert == "" {
		return nil
	}
	if a.cert, err = certificate.Load(a.cfg.TLSCert, a.cfg.TLSKey, log); err != nil {
		return fmt.Errorf("-tls-cert, -tls-key: %w", err)
	}
	return nil
}

// open makes the server of HTTP, and what it serves beside Socket.IO.
func (a *App) open(log *slog.Logger) {
	plain := a.plainSockets(log)
	a.sockets = sockets.New(plain)
	rt := &routes.Routes{
		SocketIO: a.sio, Path: a.cfg.Path, Sockets: a.sockets, SocketPaths: plain.Paths(),
		Index: web.Index(path.Clean(a.cfg.Path)), Page: web.Page(), Draining: &a.draining, Others: a.nodes.State,
		BodyTimeout: max(time.Minute, a.cfg.PingInterval+a.cfg.PingTimeout), // a client that is slower than that is gone
	}
	a.http = &http.Server{
		Handler: rt.Handler(),
		// The body has its own timeout, see Routes: a polling GET may wait for as long
		// as it likes.
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          stdlog.New(a.errors, "", 0),
	}
	if a.cert != nil {
		a.http.TLSConfig = a.cert.Config()
	}
}

// plainSockets is what is served without Socket.IO.
func (a *App) plainSockets(log *slog.Logger) sockets.Config {
	queue := wscore.Queue{Bytes: a.cfg.QueueBytes, Packets: a.cfg.QueuePackets}
	if a.cfg.DropNewest {
		queue.OnFull = wscore.DropNewest
	}
	return sockets.Config{
		Chat: a.cfg.WSChat, REST: a.cfg.WSREST,
		Origins:    a.cfg.Origins(),
		MaxMessage: a.cfg.MaxHTTPBufferSize,
		Proxies:    a.cfg.Proxies(),
		Queue:      queue,
		Admit:      a.admit,
		Status: func() any {
			return map[string]any{
				"clients": a.sio.Engine().Clients(), "sockets": a.sockets.Len(), "members": a.sockets.Members(),
				"seconds": int(time.Since(a.began).Seconds()),
			}
		},
		Log: log,
	}
}

// admit has a plain socket count as a connection of Socket.IO does.
func (a *App) admit(r *http.Request) (leave func(), err error) {
	leave, e := a.sio.Engine().Admit(r)
	if e != nil {
		a.metrics.Refused(e)
		return nil, &wscore.HandshakeError{Status: e.Status(), Msg: e.Message}
	}
	return leave, nil
}

// Run listens, says so on out, and serves until ctx ends; then it drains and
// returns nil. The error is that of listening or serving.
func (a *App) Run(ctx context.Context, out io.Writer) error {
	l, err := net.Listen("tcp", a.cfg.Addr)
	if err != nil {
		a.end()
		return err
	}
	stop, err := a.serveMetrics()
	if err != nil {
		_ = l.Close()
		a.end()
		return err
	}
	defer stop()
	scheme := "http"
	if a.cert != nil {
		scheme = "https"
	}
	fmt.Fprintf(out, "listening on %s://%s\n", scheme, displayAddr(l.Addr()))
	a.log.WithField("addr", l.Addr().String()).Info("listening")
	return a.serve(ctx, l)
}

// serve serves until ctx ends or l fails, and drains then, too.
func (a *App) serve(ctx context.Context, l net.Listener) error {
	looking, stop := context.WithCancel(ctx)
	defer stop()
	go a.releaseMemory(looking) // ended by stop
	failed := make(chan error, 1)
	go func() { // ends with the server; serve waits for it
		if a.cert != nil {
			failed <- a.http.ServeTLS(l, "", "")
		} else {
			failed <- a.http.Serve(l)
		}
	}()
	select {
	case err := <-failed:
		a.drain()
		return err
	case <-ctx.Done():
	}
	a.drain()
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// drain ends what Run has begun.
func (a *App) drain() {
	a.draining.Store(true)
	a.log.WithField("clients", a.sio.Engine().Clients()).Info("draining")
	a.end()
	a.log.Info("stopped")
}

// end ends the connections in the time there is, those of Socket.IO and the
// plain ones at once: neither waits for the other.
func (a *App) end() {
	ctx, cancel := context.WithTimeout(context.Background(), a.cfg.ShutdownTimeout)
	defer cancel()
	var plain sync.WaitGroup
	plain.Go(func() {
		if err := a.sockets.Shutdown(ctx); err != nil {
			a.log.WithError(err).Warn("not all plain sockets ended in time")
		}
	})
	if err := a.sio.Shutdown(ctx); err != nil {
		a.log.WithError(err).Warn("not all connections ended in time")
	}
	if err := a.nodes.Close(ctx); err != nil {
		a.log.WithError(err).Warn("the other nodes were left in a hurry")
	}
	plain.Wait()
	if err := a.http.Shutdown(ctx); err != nil {
		a.log.WithError(err).Warn("requests were cut off")
		_ = a.http.Close()
	}
}

// displayAddr is an address that a browser on this machine can open.
func displayAddr(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
