package socketio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/engineio"
)

// Server is a Socket.IO server, an http.Handler. Its namespace methods act on
// the main namespace "/". All methods may be called from any goroutine. The zero
// value is not usable, see New.
type Server struct {
	cfg        Config
	engine     *engineio.Server
	main       *Namespace
	workers    workers
	stats      counters
	faults     limiter     // of lines about clients
	unrestored limiter     // of lines about their sessions
	closing    atomic.Bool // every end from now on is ServerShuttingDown

	ctx    context.Context // of what belongs to no socket: handlers of OnServerSide
	cancel context.CancelFunc

	mu             sync.RWMutex // guards what follows
	namespaces     map[string]*Namespace
	dynamic        int       // how many of them are children
	parents        []*parent // in the order in which they are asked; never changed, only replaced
	onNewNamespace []func(*Namespace)
}

// counters counts what nobody is told of one by one.
type counters struct {
	panics, volatile atomic.Uint64
	refused          refusals
}

// Stats are counters since the start of a Server.
type Stats struct {
	Panics          uint64   // panics of handlers, middlewares and hooks
	VolatileDropped uint64   // volatile events that were dropped, one for each receiver
	Refused         Refusals // by Config.Limits
}

// Stats returns the counters.
func (srv *Server) Stats() Stats {
	return Stats{
		Panics:          srv.stats.panics.Load(),
		VolatileDropped: srv.stats.volatile.Load(),
		Refused:         srv.stats.refused.all(),
	}
}

// New returns a Server. Nothing runs before the first connection. The error is
// that of Config.Validate, of the adapter, or of reading ClientFiles.
func New(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	srv := &Server{cfg: cfg.withDefaults(), namespaces: make(map[string]*Namespace)}
	srv.ctx, srv.cancel = context.WithCancel(context.Background())
	srv.main = bareNamespace(srv, "/")
	srv.main.stage = stageOwn
	srv.namespaces["/"] = srv.main
	close(srv.main.ready)
	srv.main.open()
	if broken, ok := srv.main.adapter.(brokenAdapter); ok {
		return nil, broken.err
	}
	var err error
	if srv.engine, err = engineio.New(srv.cfg.Engine, engineHandler{srv}); err != nil {
		return nil, err
	}
	if !cfg.NoServeClient && cfg.ClientFiles != nil {
		files, err := readClientFiles(cfg.ClientFiles, srv.cfg.Engine.Path)
		if err != nil {
			return nil, err
		}
		srv.engine.Use(files.serve) // within CORS, before all else
	}
	return srv, nil
}

// ServeHTTP serves Engine.IO, and the browser client under Engine.Path. Mount it
// at that path and what is below it.
func (srv *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	srv.engine.ServeHTTP(w, r)
}

// Of returns the namespace of that name, made at the first call; a slash in
// front may be left out. If the adapter cannot be made, every operation of the
// namespace that returns an error returns that one, and no client can join.
//
// If the name is one of a parent's (see OfPattern and OfRegexp; functions are
// not asked), it is made as that parent's child, and with
// Config.CleanupEmptyChildNamespaces it may be removed again, together with what
// was registered on it; a later Of then returns another one.
func (srv *Server) Of(name string) *Namespace {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	if name == "/" {
		return srv.main
	}
	n, made := srv.place(name)
	n.open()
	if made {
		defer close(n.ready)
		n.announce(srv.newNamespaceHooks())
	}
	return n
}

// Path is Config.Engine.Path, without a slash at the end. JS: path().
func (srv *Server) Path() string { return srv.cfg.Engine.Path }

// Pattern is what a router has to send here: Path with a slash at its end,
// unless Config.Engine.NoTrailingSlash is set.
func (srv *Server) Pattern() string { return srv.engine.Pattern() }

// Attach makes hs serve what begins with Pattern, in front of its Handler (nil
// means http.DefaultServeMux), which keeps all else. It is to be called before
// hs serves. At the end Shutdown of the Server comes first, then that of hs, which
// would wait for each polling request and knows nothing of WebSockets. JS: attach,
// new Server(httpServer).
func (srv *Server) Attach(hs *http.Server) {
	next := hs.Handler
	if next == nil {
		next = http.DefaultServeMux
	}
	prefix := srv.Pattern()
	hs.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, prefix) {
			srv.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Engine is the Engine.IO server underneath.
func (srv *Server) Engine() *engineio.Server { return srv.engine }

func (srv *Server) newNamespaceHooks() []func(*Namespace) {
	srv.mu.RLock()
	defer srv.mu.RUnlock()
	return srv.onNewNamespace
}

// OnNewNamespace adds a function that is called with each namespace that Of or
// a parent makes, before Of returns it and before its first socket. Who joins
// waits for it. JS: event new_namespace.
func (srv *Server) OnNewNamespace(f func(*Namespace)) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.onNewNamespace = append(srv.onNewNamespace[:len(srv.onNewNamespace):len(srv.onNewNamespace)], f)
}

// Close disconnects every socket at once, with the reason ServerShuttingDown,
// and sends nothing. It returns when all hooks have been called, all handlers
// have returned and nothing of the server runs, or with an error that wraps the
// cause of ctx.
func (srv *Server) Close(ctx context.Context) error {
	srv.shut()
	for s := range srv.engine.Sessions() {
		if c, ok := s.Value().(*client); ok {
			c.end(ServerShuttingDown, nil)
		}
	}
	return srv.finish(ctx, srv.engine.Close(ctx))
}

// Shutdown drains: it refuses new connections and closes the others, delivering first
// what is queued, at the pace of engineio.Server.Shutdown, so that official clients
// reconnect, elsewhere. The contexts of handlers that still run end with their
// connections. Then it is Close. It leaves the http.Server alone, whose own Shutdown
// comes behind.
func (srv *Server) Shutdown(ctx context.Context) error {
	srv.shut()
	return srv.finish(ctx, srv.engine.Shutdown(ctx))
}

// shut makes readers that wait for their mailboxes go on.
func (srv *Server) shut() {
	srv.closing.Store(true)
	for s := range srv.engine.Sessions() {
		if c, ok := s.Value().(*client); ok {
			c.mu.Lock()
			c.wake()
			c.mu.Unlock()
		}
	}
}

// finish waits for user code and closes the adapters.
func (srv *Server) finish(ctx context.Context, err error) error {
	if err != nil { // Shutdown ran out of time
		err = errors.Join(err, srv.engine.Close(ctx))
	}
	srv.cancel()
	stuck := srv.workers.wait(ctx)
	srv.workers.close()
	for _, a := range srv.adapters() {
		err = errors.Join(err, a.Close(ctx))
	}
	if stuck == nil {
		stuck = srv.workers.wait(ctx) // for what an adapter reported until its end
	}
	if stuck != nil {
		err = errors.Join(err, fmt.Errorf("socketio: handlers or hooks still run: %w", stuck))
	}
	return err
}

func (srv *Server) adapters() (all []adapters.Adapter) {
	for _, n := range srv.made() {
		n.open()
		all = append(all, n.adapter)
	}
	return all
}

// made returns the namespaces that there are.
func (srv *Server) made() (all []*Namespace) {
	srv.mu.RLock()
	defer srv.mu.RUnlock()
	for _, n := range srv.namespaces {
		if n.stage == stageOwn || n.stage == stageChild {
			all = append(all, n)
		}
	}
	return all
}
