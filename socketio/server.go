package socketio

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/engineio"
)

// Server is a Socket.IO server, an http.Handler. Its namespace methods act on
// the main namespace "/". All methods may be called from any goroutine.
type Server struct {
	cfg     Config
	engine  *engineio.Server
	main    *Namespace
	workers workers
	stats   counters
	faults  limiter     // of lines about clients
	closing atomic.Bool // every end from now on is ServerShuttingDown

	ctx    context.Context // of what belongs to no socket: handlers of OnServerSide
	cancel context.CancelFunc

	mu             sync.RWMutex // guards what follows
	namespaces     map[string]*Namespace
	onNewNamespace []func(*Namespace)
}

// counters counts what nobody is told of one by one.
type counters struct{ panics, volatile atomic.Uint64 }

// Stats are counters since the start of a Server.
type Stats struct {
	Panics          uint64 // panics of handlers, middlewares and hooks
	VolatileDropped uint64 // volatile events that were dropped
}

// Stats returns the counters.
func (srv *Server) Stats() Stats {
	return Stats{Panics: srv.stats.panics.Load(), VolatileDropped: srv.stats.volatile.Load()}
}

// New returns a Server. Nothing runs before the first connection. The error is
// that of Config.Validate, of the adapter, or of reading ClientFiles.
func New(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	srv := &Server{cfg: cfg.withDefaults(), namespaces: make(map[string]*Namespace)}
	srv.ctx, srv.cancel = context.WithCancel(context.Background())
	var err error
	if srv.main, err = newNamespace(srv, "/"); err != nil {
		return nil, err
	}
	srv.namespaces["/"] = srv.main
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
func (srv *Server) Of(name string) *Namespace {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	if n := srv.lookup(name); n != nil {
		return n
	}
	n, made, hooks := srv.make(name)
	if made {
		for _, f := range hooks {
			f(n)
		}
	}
	return n
}

// make makes a namespace, unless somebody else just did.
func (srv *Server) make(name string) (n *Namespace, made bool, hooks []func(*Namespace)) {
	fresh, err := newNamespace(srv, name)
	if err != nil {
		fresh.adapter = brokenAdapter{err}
	}
	srv.mu.Lock()
	if n = srv.namespaces[name]; n == nil {
		n, made, hooks = fresh, true, srv.onNewNamespace
		srv.namespaces[name] = n
	}
	srv.mu.Unlock()
	if !made {
		_ = fresh.adapter.Close(context.Background()) // it was never used
	}
	return n, made, hooks
}

// lookup returns the namespace of that name, or nil.
func (srv *Server) lookup(name string) *Namespace {
	if name == "/" {
		return srv.main
	}
	srv.mu.RLock()
	defer srv.mu.RUnlock()
	return srv.namespaces[name]
}

// Engine is the Engine.IO server underneath.
func (srv *Server) Engine() *engineio.Server { return srv.engine }

// OnNewNamespace adds a function that is called with each namespace that Of
// makes, before Of returns it.
func (srv *Server) OnNewNamespace(f func(*Namespace)) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.onNewNamespace = append(srv.onNewNamespace[:len(srv.onNewNamespace):len(srv.onNewNamespace)], f)
}

// Close disconnects every socket at once, with the reason ServerShuttingDown,
// and sends nothing. It returns when all hooks have been called, all handlers
// have returned and nothing of the server runs, or with the cause of ctx.
func (srv *Server) Close(ctx context.Context) error {
	srv.shut()
	for s := range srv.engine.Sessions() {
		if c, ok := s.Value().(*client); ok {
			c.end(ServerShuttingDown, nil)
		}
	}
	return srv.finish(ctx, srv.engine.Close(ctx))
}

// Shutdown drains: it refuses new connections and closes the others spread over
// the time that ctx leaves, delivering first what is queued, so that official
// clients reconnect, elsewhere. Then it is Close.
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
	err = errors.Join(err, srv.workers.wait(ctx))
	srv.workers.close()
	for _, a := range srv.adapters() {
		err = errors.Join(err, a.Close(ctx))
	}
	return err
}

func (srv *Server) adapters() (all []adapters.Adapter) {
	srv.mu.RLock()
	defer srv.mu.RUnlock()
	for _, n := range srv.namespaces {
		all = append(all, n.adapter)
	}
	return all
}
