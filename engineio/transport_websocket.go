package engineio

import (
	"errors"
	"io"
	"net/http"

	"github.com/hermod-io/hermod/wscore"
)

// wsTransport is a WebSocket connection of a session: its transport, or one
// that wants to become it.
type wsTransport struct {
	s    *Session
	conn *wscore.Conn
}

// acceptWebSocket opens a session over WebSocket, or lets a connection probe
// for the session s.
func (srv *Server) acceptWebSocket(w http.ResponseWriter, r *http.Request, q query, s *Session) {
	opening := s == nil
	if opening {
		var e *ConnectionError
		if s, e = srv.newSession(r, q); e != nil {
			srv.reject(w, r, e)
			return
		}
	}
	var t *wsTransport
	if opening {
		defer func() {
			if t == nil { // refused, or a hook panicked
				s.abandon()
			}
		}()
	}
	extra := w.Header().Clone() // a refusal has those of the middlewares alone
	srv.responseHeaders(extra, r, opening)
	conn, err := srv.ws.Accept(w, r, extra)
	if err != nil {
		return
	}
	t = &wsTransport{s: s, conn: conn}
	if !opening {
		s.beginProbe(t, s.dialect.framing(q.base64))
		return
	}
	s.beginWebSocket(t, s.dialect.framing(q.base64))
	s.greet(nil)
	defer conn.Serve(t) // also if OnOpen ends the goroutine
	s.opened()
}

// beginWebSocket makes t the transport of a new session. The session may have
// ended already: a Server that is closed knows it since it has an id.
func (s *Session) beginWebSocket(t *wsTransport, f framing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.framing = f
	s.ws.Store(t)
	if s.state == stateClosed {
		_ = t.conn.Close(wscore.CloseNoStatus, "")
	}
}

// OnMessage implements wscore.Protocol.
func (t *wsTransport) OnMessage(op wscore.Opcode, data []byte) {
	p, err := t.s.dialect.decode(op, data)
	if err != nil {
		t.malformed(err)
		return
	}
	if t.s.ws.Load() == t {
		t.s.receive(p)
		return
	}
	t.s.probed(t, p)
}

func (t *wsTransport) malformed(err error) {
	if t.s.ws.Load() == t {
		t.s.end(ParseError, err)
		return
	}
	t.s.probeClosed(t)
}

// OnClose implements wscore.Protocol.
func (t *wsTransport) OnClose(err error) {
	if t.s.ws.Load() != t {
		t.s.probeClosed(t)
		return
	}
	reason := TransportClose
	var ce *wscore.CloseError
	if errors.As(err, &ce) && ce.Err != nil && !errors.Is(ce.Err, io.ErrUnexpectedEOF) {
		reason = TransportError
	}
	t.s.end(reason, err)
}
