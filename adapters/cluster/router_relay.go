package cluster

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/hermod-io/hermod/internal/bufpool"
)

// relayPatience is how long the first bytes of a body are waited for before the
// request is sent without: what is complete by then is one message.
const relayPatience = 100 * time.Millisecond

// longAgo is a deadline that is over.
var longAgo = time.Unix(1, 0)

// Route implements engineio.Router.
func (r *Router) Route(w http.ResponseWriter, req *http.Request, sid string) bool {
	p := r.owner(req.Context(), sid)
	if p == nil {
		return false
	}
	s, err := p.open()
	if err != nil {
		if !errors.Is(err, errStreamOverload) {
			return false
		}
		refuseOverload(w)
		return true
	}
	r.count.relayed.Add(1)
	x := &relayed{s: s, w: w, rc: http.NewResponseController(w), req: req, sid: sid}
	return x.serve()
}

func refuseOverload(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
}

// relayed is a request as the node sees it where it came in. It belongs to the
// goroutine of the handler.
type relayed struct {
	s    *relayStream
	w    http.ResponseWriter
	rc   *http.ResponseController
	req  *http.Request
	sid  string
	sent bool // the request was; guarded by s.turn

	// guarded by s.mu
	pumping, writing bool // the client is read, written to
	hurried          bool // reading was ended: net/http takes that for the end of the client
	finishing        bool // the end of the answer is written: the client may go when it has it
}

// serve has the request served, and reports false if nobody can.
func (x *relayed) serve() bool {
	s := x.s
	_ = x.rc.SetWriteDeadline(time.Time{}) // the session's node says how long it may take
	s.mu.Lock()
	s.onFail = func(error) { x.hurry(true) }
	s.onChange = func() { x.hurry(false) }
	s.mu.Unlock()
	stop := context.AfterFunc(x.req.Context(), func() {
		if x.gone() {
			s.fail(errStreamAborted, resetAborted)
		}
	})
	defer stop()
	x.pump()
	s.await(func() bool { return s.answer != nil || s.taken || s.over(&s.wd) })
	s.mu.Lock()
	answer, taken, err := s.answer, s.taken, s.err
	x.writing = err == nil
	s.mu.Unlock()
	switch {
	case x.gone():
		panic(http.ErrAbortHandler)
	case errors.Is(err, errStreamOverload):
		refuseOverload(x.w)
		x.bound()
	case errors.Is(err, errStreamUnknown):
		s.p.r.absent.add(x.sid)
		s.p.r.count.unknown.Add(1)
		return false
	case err != nil:
		return false
	case taken:
		stop()
		x.takeOver()
	default:
		x.answer(answer)
	}
	return true
}

// gone reports whether the client has given up.
func (x *relayed) gone() bool {
	return x.req.Context().Err() != nil && !x.s.is(func() bool { return x.hurried || x.finishing })
}

// hurry ends what waits for the client when it is of no use any more. s.mu is
// held.
func (x *relayed) hurry(failed bool) {
	if x.pumping {
		x.hurried = true
		_ = x.rc.SetReadDeadline(longAgo)
	}
	if x.writing && failed {
		_ = x.rc.SetWriteDeadline(longAgo)
	}
}

// open sends the request with the beginning of its body, unless it was sent.
func (x *relayed) open(body []byte, fin bool) (did bool) {
	s := x.s
	s.turn.Lock()
	defer s.turn.Unlock()
	if x.sent {
		return false
	}
	x.sent = true
	q := x.req
	f := relayFrame{kind: frameOpen, header: q.Header, data: body, req: &relayRequest{sid: x.sid, method: q.Method, uri: q.URL.RequestURI(),
		host: q.Host, remote: q.RemoteAddr, major: byte(q.ProtoMajor), minor: byte(q.ProtoMinor), length: q.ContentLength}}
	if t := q.TLS; t != nil {
		f.flags |= flagTLS
		f.req.tlsName, f.req.tlsProto, f.req.tlsVersion, f.req.cipher = t.ServerName, t.NegotiatedProtocol, t.Version, t.CipherSuite
	}
	if fin {
		f.flags |= flagFin
	}
	s.mu.Lock()
	s.credit -= len(body)
	s.finSent = fin
	s.mu.Unlock()
	s.post(&f, true)
	return true
}

// pump sends the request and its body.
func (x *relayed) pump() {
	q, s := x.req, x.s
	if q.ContentLength == 0 || q.Body == nil {
		x.open(nil, q.Header.Get("Upgrade") == "") // a connection may follow
		return
	}
	late := time.AfterFunc(relayPatience, func() { x.open(nil, false) })
	defer late.Stop()
	buf := bufpool.Get(relayChunk)
	defer bufpool.Put(buf)
	answered := func() bool { return s.answer != nil }
	for left := q.ContentLength; ; {
		n, err := x.read(buf.Bytes()[:relayChunk])
		if left -= int64(n); left == 0 {
			err = io.EOF
		}
		b, fin := buf.Bytes()[:n], errors.Is(err, io.EOF)
		if (n > 0 || fin) && !x.open(b, fin) {
			if _, werr := s.write(b, fin, answered); werr != nil {
				break
			}
		}
		if fin {
			break
		}
		if err != nil {
			if !s.is(answered) {
				s.fail(errStreamAborted, resetAborted)
			}
			break
		}
	}
}

// read reads from the body until the request is answered.
func (x *relayed) read(p []byte) (int, error) {
	pumping := func(on bool) {
		x.s.mu.Lock()
		defer x.s.mu.Unlock()
		if x.pumping = on; on && (x.s.answer != nil || x.s.err != nil) {
			x.hurry(false)
		}
	}
	pumping(true)
	defer pumping(false)
	return x.req.Body.Read(p)
}

// answer writes the answer to the client, and tells the other node if it wants
// to know.
func (x *relayed) answer(a *relayAnswer) {
	defer func() {
		x.s.mu.Lock()
		x.writing = false
		x.s.mu.Unlock()
	}()
	h := x.w.Header()
	maps.Copy(h, a.header)
	x.w.WriteHeader(a.status)
	err := x.copy()
	if err == nil && a.confirm {
		err = x.rc.Flush()
	}
	if err != nil {
		x.s.fail(errStreamAborted, resetAborted)
		panic(http.ErrAbortHandler)
	}
	if a.confirm {
		x.s.post(&relayFrame{kind: frameDone}, false)
	}
	x.s.close(false)
	x.bound()
}

// lastAnswer is how long a client may take to read an answer that net/http sends
// when we have returned.
const lastAnswer = 5 * time.Second

// bound bounds that.
func (x *relayed) bound() { _ = x.rc.SetWriteDeadline(time.Now().Add(lastAnswer)) }

// lastPart notes whether all that there is has been read, and is about to be
// written. If the client has gone before, the stream fails.
func (x *relayed) lastPart() {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.finishing = x.s.fin && len(x.s.in) == 0 && x.req.Context().Err() == nil
}

// copy writes the body of the answer.
func (x *relayed) copy() error {
	buf := bufpool.Get(relayChunk)
	defer bufpool.Put(buf)
	for {
		n, err := x.s.read(buf.Bytes())
		x.lastPart()
		if n > 0 {
			if _, werr := x.w.Write(buf.Bytes()[:n]); werr != nil {
				return werr
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
