package engineio

import "net/http"

// Router lets any node of a cluster serve any request: a request whose sid is of
// no session here is handed to the node that owns it. Sessions never move.
// adapters/cluster has one. The methods are called from many goroutines at once.
type Router interface {
	// Attach is called once, by New. here serves what other nodes hand over. An
	// error refuses the Server.
	Attach(here Routed) error
	// NewID makes the sid of a new session, which names this node: unique, and
	// not to be guessed. An error refuses the handshake (code 3).
	NewID() (string, error)
	// Route serves r, a request for the session sid, which is none of this
	// node's. It returns when the request is served, for a WebSocket when the
	// connection was taken over. With false it has not touched w, and r is
	// refused here (code 1): no living node has such a session. Like a handler it
	// panics with http.ErrAbortHandler to end the connection.
	Route(w http.ResponseWriter, r *http.Request, sid string) (ok bool)
}

// Routed is a Server as its Router sees it.
type Routed interface {
	// ServeHTTP serves a request that another node has handed over, as if it had
	// come here, but for one thing: it is never handed on. So middlewares,
	// CORS, hooks and limits are those of the node that owns the session, and
	// nothing is asked or counted twice.
	//
	// The ResponseWriter must do what http.ResponseController asks of those of
	// net/http: Hijack, SetReadDeadline, SetWriteDeadline, and Flush, which
	// returns when a complete answer (it has a Content-Length) was written to the
	// client; with an error the session ends. What is not flushed may only leave
	// when ServeHTTP has returned.
	ServeHTTP(w http.ResponseWriter, r *http.Request)
	// Has reports whether there is a session of that id.
	Has(sid string) bool
}

// routed implements Routed.
type routed struct{ srv *Server }

func (n routed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*n.srv.serve.Load()).ServeHTTP(w, r)
}

func (n routed) Has(sid string) bool { return n.srv.sessions.get(sid) != nil }

// sendAway reports whether the request was served by another node. What no
// session is needed for is answered here: preflights, and requests that are
// refused whatever their session.
func (srv *Server) sendAway(w http.ResponseWriter, r *http.Request) bool {
	q := parseQuery(r.URL.RawQuery)
	if q.sid == "" || r.Method == http.MethodOptions || !srv.has(q.transport) ||
		!validHeader(r.Header.Get("Origin")) || srv.sessions.get(q.sid) != nil {
		return false
	}
	return srv.cfg.Router.Route(w, r, q.sid)
}
