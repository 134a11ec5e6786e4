package engineio

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"iter"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/cors"

	"github.com/hermod-io/hermod/internal/wheel"
	"github.com/hermod-io/hermod/wscore"
)

// Server accepts sessions. It is an http.Handler. Its methods may be called from any
// goroutine. The zero value is not usable, see New.
type Server struct {
	cfg         Config
	h           Handler
	ws          *wscore.Server
	wheel       *wheel.Wheel
	began       time.Time // of New, and a moment before, so that now is never 0
	cors        *cors.Cors
	compressors compressors
	sessions    sessions
	links       links
	limits      *limiter
	serve       atomic.Pointer[http.Handler] // the middlewares around srv.route
	count       counters

	mu      sync.Mutex // guards what follows
	mws     []func(http.Handler) http.Handler
	closed  bool
	others  int // connections that Admit has let in
	running int
	idle    chan struct{}
}

// New returns a Server that reports to h. The error is of Config.Validate, or of
// Config.Router.
func New(cfg Config, h Handler) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	srv := &Server{cfg: cfg, h: h, limits: newLimiter(cfg.Limits), began: time.Now().Add(-time.Microsecond)}
	srv.ws = wscore.NewServer(wscore.Settings{
		AnySubprotocol: true, // as the official server
		Origins:        []string{"*"},
		MaxMessage:     cfg.MaxHTTPBufferSize,
		Deflate:        cfg.PerMessageDeflate,
		Queue:          wscore.Queue{Bytes: cfg.Queue.Bytes, Packets: cfg.Queue.Packets, OnFull: wscore.OnFull(cfg.Queue.OnFull)},
		Log:            cfg.Log,
	})
	srv.wheel = wheel.New(min(cfg.PingInterval, cfg.PingTimeout) / beatTicks)
	if cfg.CORS != nil {
		srv.cors = cors.New(corsOptions(*cfg.CORS))
	}
	srv.build()
	if cfg.Router != nil {
		if err := cfg.Router.Attach(routed{srv}); err != nil {
			return nil, err
		}
	}
	return srv, nil
}

// build puts the middlewares around the router.
func (srv *Server) build() {
	var h http.Handler = http.HandlerFunc(srv.route)
	for i := len(srv.mws) - 1; i >= 0; i-- {
		h = srv.mws[i](h)
	}
	if srv.cors != nil {
		h = srv.CORS(h)
	}
	srv.serve.Store(&h)
}

// Use adds a middleware around every request of the server, upgrades included: the
// first one added is the outermost. JS: engine.use.
func (srv *Server) Use(mw func(http.Handler) http.Handler) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.mws = append(srv.mws, mw)
	srv.build()
}

// Pattern is the pattern under which the server is to be mounted, such as
// "/engine.io/", for http.ServeMux and its like.
func (srv *Server) Pattern() string {
	p := strings.TrimSuffix(srv.cfg.Path, "/")
	if srv.cfg.NoTrailingSlash && p != "" {
		return p
	}
	return p + "/"
}

// ServeHTTP serves a request whatever its path: mounting is the caller's, see
// [Server.Pattern].
func (srv *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if srv.cfg.Router != nil && srv.sendAway(w, r) {
		return
	}
	(*srv.serve.Load()).ServeHTTP(w, r)
}

// route verifies a request and hands it to its session, or opens one.
func (srv *Server) route(w http.ResponseWriter, r *http.Request) {
	q := parseQuery(r.URL.RawQuery)
	s, e := srv.verify(r, q)
	switch {
	case e != nil:
		srv.reject(w, r, e)
	case q.transport == WebSocket:
		srv.acceptWebSocket(w, r, q, s)
	case s != nil:
		s.poll(w, r)
	default:
		srv.openPolling(w, r, q)
	}
}

// newSession makes and registers a session for r, whose query is q.
func (srv *Server) newSession(r *http.Request, q query) (*Session, *ConnectionError) {
	id, err := srv.newID(r)
	if err != nil {
		return nil, &ConnectionError{Request: r, Code: CodeBadRequest, Message: codeMessages[CodeBadRequest],
			Context: map[string]any{"name": "ID_GENERATION_ERROR", "error": err}}
	}
	s := &Session{srv: srv, id: id, dialect: q.dialect(), shake: packHandshake(r), ctx: srv.links.requestValues(r.Context()), busy: true, seldom: &nothing}
	if e := srv.register(s, r); e != nil {
		return nil, e
	}
	return s, nil
}

// shuttingDown is the text of the refusal of who comes after Close or Shutdown.
const shuttingDown = "Server is shutting down"

// register adds a session of r, unless the server is closed, a limit reached or
// the id taken.
func (srv *Server) register(s *Session, r *http.Request) *ConnectionError {
	if !srv.limits.enter(s, r) {
		return overLimit(r, tooManyOfAddress, "PerIP")
	}
	srv.mu.Lock()
	defer srv.mu.Unlock()
	e := srv.full(r)
	if e == nil && (s.id == "" || !srv.sessions.add(s)) {
		e = &ConnectionError{Request: r, Code: CodeBadRequest, Message: codeMessages[CodeBadRequest]}
	}
	if e != nil {
		srv.limits.leave(s)
	}
	return e
}

// unregister takes a session out.
func (srv *Server) unregister(s *Session) {
	srv.sessions.remove(s)
	srv.limits.leave(s)
}

func (srv *Server) newID(r *http.Request) (string, error) {
	switch {
	case srv.cfg.Router != nil:
		return srv.cfg.Router.NewID()
	case srv.cfg.GenerateID != nil:
		return srv.cfg.GenerateID(r)
	}
	var b [15]byte
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// Clients reports the number of open sessions. JS: engine.clientsCount.
func (srv *Server) Clients() int { return srv.sessions.len() }

// Sessions iterates over the open sessions, in no order.
func (srv *Server) Sessions() iter.Seq[*Session] {
	return func(yield func(*Session) bool) {
		for _, s := range srv.sessions.all() {
			if s.ready.Load() && !yield(s) {
				return
			}
		}
	}
}

// Config returns the settings in force, defaults filled in.
func (srv *Server) Config() Config { return srv.cfg }

// now is the time since New; no change of the clock disturbs it.
func (srv *Server) now() time.Duration { return time.Since(srv.began) }

// goFunc starts f on a goroutine that Close waits for.
func (srv *Server) goFunc(f func()) {
	srv.mu.Lock()
	srv.running++
	srv.mu.Unlock()
	go func() {
		defer srv.ended()
		f()
	}()
}

// ended counts a goroutine of goFunc out.
func (srv *Server) ended() {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.running--; srv.running == 0 && srv.idle != nil {
		close(srv.idle)
		srv.idle = nil
	}
}

// Close refuses new sessions (503, code 4) and closes all sessions at once (reason
// forced close), and waits until nothing of the server runs, or ctx ends, whose error
// it then returns. Called from a Handler it waits for itself.
func (srv *Server) Close(ctx context.Context) error {
	srv.stop()
	for _, s := range srv.sessions.all() {
		s.Close(true)
	}
	return srv.wait(ctx)
}

// Shutdown refuses new sessions as Close does and closes the transports of the others,
// 500 a second, so that clients, which reconnect, do not come back all at once, or so
// many that two seconds, or half the time until ctx's deadline if that is less, are
// enough. As long at most it waits for those who have yet to take what was queued for
// them. Then it goes on as [Server.Close].
func (srv *Server) Shutdown(ctx context.Context) error {
	srv.stop()
	all := srv.sessions.all()
	pause := min(atMost(ctx, drainTime), time.Duration(len(all))*2*time.Millisecond)
	const steps = 20
	for i := range steps {
		for _, s := range all[len(all)*i/steps : len(all)*(i+1)/steps] {
			s.Close(false)
		}
		if len(all) == 0 || i == steps-1 {
			break
		}
		select {
		case <-time.After(pause / steps):
		case <-ctx.Done():
		}
	}
	linger(ctx, all)
	return srv.Close(ctx)
}

// drainTime bounds how long Shutdown takes to close the transports, and then for their
// end.
const drainTime = 2 * time.Second

// atMost is d, or half the time until ctx's deadline if that is less.
func atMost(ctx context.Context, d time.Duration) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return min(d, time.Until(end)/2)
	}
	return d
}

// linger waits until all have ended, for a while.
func linger(ctx context.Context, all []*Session) {
	over := time.NewTimer(atMost(ctx, drainTime))
	defer over.Stop()
	for _, s := range all {
		select {
		case <-s.Done():
		case <-over.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (srv *Server) stop() {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.closed = true
}

func (srv *Server) wait(ctx context.Context) error {
	srv.mu.Lock()
	idle := srv.idle
	if srv.running > 0 && idle == nil {
		idle = make(chan struct{})
		srv.idle = idle
	}
	srv.mu.Unlock()
	if idle != nil {
		select {
		case <-idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return srv.ws.Close(ctx)
}
