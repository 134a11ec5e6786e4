package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/hermod-io/hermod/server/internal/chat"
	"github.com/hermod-io/hermod/server/internal/config"
	"github.com/hermod-io/hermod/server/internal/logging"
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
	others, err := nodes.New(ctx, cfg.Nodes(), sc.Log)
	if err != nil {
		return nil, err
	}
	sc.Adapter, sc.Engine.Router = others.Adapter(), others.Router()
	sc.Engine.OnConnectionError = newRefusals(log, cfg.Proxies()).note
	sio, err := socketio.New(sc)
	if err != nil {
		return nil, errors.Join(err, others.Close(ctx))
	}
	chat.Register(sio, chat.Config{History: cfg.ChatHistory, MaxFile: cfg.ChatMaxFile})
	a := &App{cfg: cfg, log: log, nodes: others, sio: sio, began: time.Now()}
	plain := a.plainSockets(sc.Log)
	a.sockets = sockets.New(plain)
	rt := &routes.Routes{
		SocketIO: sio, Path: cfg.Path, Sockets: a.sockets, SocketPaths: plain.Paths(),
		Index: web.Index(path.Clean(cfg.Path)), Page: web.Page(), Draining: &a.draining, Others: others.State,
		BodyTimeout: max(time.Minute, cfg.PingInterval+cfg.PingTimeout), // a client that is slower than that is gone
	}
	a.http = &http.Server{
		Handler: rt.Handler(),
		// The body has its own timeout, see Routes: a polling GET may wait for as long
		// as it likes.
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(sc.Log.Handler(), slog.LevelWarn),
	}
	return a, nil
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
	fmt.Fprintf(out, "listening on http://%s\n", displayAddr(l.Addr()))
	a.log.WithField("addr", l.Addr().String()).Info("listening")
	return a.serve(ctx, l)
}

// serve serves until ctx ends or l fails, and drains then, too.
func (a *App) serve(ctx context.Context, l net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- a.http.Serve(l) }() // ends with the server; serve waits for it
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

// Healthcheck asks a server that listens on addr whether it is ready. No proxy is
// asked, and the port may have a name.
func Healthcheck(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if host == "" || net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	client := http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(host, port))
		},
	}}
	res, err := client.Get("http://localhost/readyz")
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("app: %s", res.Status)
	}
	return nil
}
