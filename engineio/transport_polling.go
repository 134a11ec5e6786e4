package engineio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/hermod-io/hermod/engineio/packet"
	"github.com/hermod-io/hermod/internal/bufpool"
)

// getRequest is a GET that waits. A session has one at a time, so that all of its
// use the same.
type getRequest struct {
	ready chan struct{} // has room for one
	woken bool
	last  packet.Type // what it gets when nothing else is there
}

// begin makes it that of a new request. The session's mu is held.
func (g *getRequest) begin() {
	if g.ready == nil {
		g.ready = make(chan struct{}, 1)
	}
	select {
	case <-g.ready: // of a client that has gone meanwhile
	default:
	}
	g.woken, g.last = false, packet.Noop
}

// wake lets the request answer. The session's mu is held.
func (g *getRequest) wake() {
	if !g.woken {
		g.woken = true
		g.ready <- struct{}{}
	}
}

// answer is the response to a GET that is on its way. A session has one at a time,
// as it has GETs.
type answer struct {
	w    http.ResponseWriter
	sent chan struct{} // closed when it is through; nil as long as nobody waits for that
	room [1][]byte     // of what is written, mostly
}

// lastAnswer is how long a client may take to read an answer whose session has
// ended.
const lastAnswer = 5 * time.Second

// answerPiece is how much of an answer, in bytes, is written before its time begins
// anew.
const answerPiece = 64 << 10

// limit bounds the time that is left. net/http takes it off again for the next
// request of the connection.
func (a *answer) limit(d time.Duration) { limitAnswer(a.w, d) }

func limitAnswer(w http.ResponseWriter, d time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d))
}

// lateBody is how long the rest of a body that nobody wants is awaited. net/http reads
// it before it answers, for which there must be time left.
const lateBody = lastAnswer - time.Second

// refuse answers a request that is not served further, in a moment.
func refuse(w http.ResponseWriter, r *http.Request, status int) {
	endBody(w, r)
	w.WriteHeader(status)
}

// endBody bounds the time for the rest of a body to lateBody. For the next request of
// the connection the bound is off again.
func endBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(lateBody))
	}
}

// beginAnswer notes that an answer is on its way to w, which may take as long as
// the heartbeat bears with a silent client: the deadline of net/http has run while
// the request waited. mu is held.
func (s *Session) beginAnswer(w http.ResponseWriter) *answer {
	a := &s.answerRoom
	a.w = w
	s.answer = a
	if s.state == stateClosed {
		a.limit(lastAnswer)
	} else {
		a.limit(s.srv.answerTime())
	}
	return a
}

// answerTime is how long a client may take none of an answer.
func (srv *Server) answerTime() time.Duration { return srv.cfg.PingInterval + 2*srv.cfg.PingTimeout }

// progress gives the rest of an answer its time anew: the client has taken some of
// it.
func (s *Session) progress() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateClosed {
		s.answer.limit(s.srv.answerTime())
	}
}

// openPolling answers the first request of a session.
func (srv *Server) openPolling(w http.ResponseWriter, r *http.Request, q query) {
	s, e := srv.newSession(r, q)
	if e != nil {
		srv.reject(w, r, e)
		return
	}
	begun := false
	defer func() {
		if !begun { // a hook panicked
			s.abandon()
		}
	}()
	if c := srv.cfg.Cookie; c != nil {
		http.SetCookie(w, c.http(s.id))
	}
	srv.responseHeaders(w.Header(), r, true)
	begun = true
	var upgrades []string
	if !srv.cfg.NoUpgrades && srv.has(WebSocket) {
		upgrades = []string{WebSocket}
	}
	s.greet(upgrades)
	s.opened()
	s.answerGet(w, r)
}

// poll serves a polling request of the session. How long that takes is up to the
// session, and no matter of http.Server.WriteTimeout, which over HTTP/2 even ends
// a request that waits. A server that has none is not bothered: it costs.
func (s *Session) poll(w http.ResponseWriter, r *http.Request) {
	if hs, ok := r.Context().Value(http.ServerContextKey).(*http.Server); !ok || hs.WriteTimeout > 0 {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	}
	s.srv.responseHeaders(w.Header(), r, false)
	switch r.Method {
	case http.MethodGet:
		s.answerGet(w, r)
	case http.MethodPost:
		if s.answerPost(w, r) {
			_ = r.Body.Close() // net/http need not look for more of it before it answers
		}
	default:
		refuse(w, r, http.StatusInternalServerError)
	}
	limitAnswer(w, lastAnswer) // net/http sends short answers when we have returned
}

// answerGet waits until there is something to send, and the answer before is
// through: a client that has it may be faster than the one who wrote it.
func (s *Session) answerGet(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.get != nil {
		s.endLocked(TransportError, errOverlap)
		s.mu.Unlock()
		refuse(w, r, http.StatusBadRequest)
		return
	}
	if s.ws.Load() != nil { // the upgrade was faster than this request
		s.mu.Unlock()
		s.srv.reject(w, r, &ConnectionError{Request: r, Code: CodeBadRequest, Message: codeMessages[CodeBadRequest],
			Context: map[string]any{"name": "TRANSPORT_MISMATCH", "transport": Polling, "previousTransport": WebSocket}})
		return
	}
	g := &s.needed().getRoom
	g.begin()
	s.get = g
	closing := s.state == stateClosing
	if closing && s.box.empty() && s.ws.Load() == nil {
		s.box.units = append(s.box.units,
			unit{pkts: []packet.Packet{{Type: packet.Noop}, {Type: packet.Close}}, noCompress: true})
		s.stopPatience()
		defer s.end(s.reason, nil)
	}
	if !s.box.empty() || s.state == stateClosed {
		g.wake()
	}
	var before chan struct{}
	if s.answer != nil {
		s.answer.sent = make(chan struct{}) // there is one GET at a time, so nobody else waits
		before = s.answer.sent
	}
	s.mu.Unlock()
	g.await(r.Context(), before)
	s.mu.Lock()
	s.get = nil
	if !g.woken || r.Context().Err() != nil {
		s.endLocked(TransportError, errAborted)
		s.mu.Unlock()
		return
	}
	units, compress := s.box.take()
	if len(units) == 0 {
		units = []unit{{pkts: []packet.Packet{{Type: g.last}}}}
		if s.state == stateClosing && g.last == packet.Close {
			s.endLocked(s.reason, nil)
		}
	}
	a := s.beginAnswer(w)
	s.mu.Unlock()
	endBody(w, r)
	defer s.answered()
	if s.writePayload(a, r, units, compress) != nil {
		s.end(TransportError, errAborted)
	}
}

// await waits for wake and for the end of the answer before, or for ctx.
func (g *getRequest) await(ctx context.Context, before <-chan struct{}) {
	if before != nil {
		select {
		case <-before:
		case <-ctx.Done():
			return
		}
	}
	select {
	case <-g.ready: // it need not be asked for the end of ctx, which costs memory
		return
	default:
	}
	select {
	case <-g.ready:
	case <-ctx.Done():
	}
}

// answered notes that the answer is through.
func (s *Session) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answer.sent != nil {
		close(s.answer.sent)
	}
	s.answer, s.answerRoom = nil, answer{}
	s.spare()
}

// The values of headers that most answers have. Nobody writes to them.
var (
	textOnly, bytesOnly = []string{typeText}, []string{typeBytes}
	typeHTML, lengthOK  = []string{"text/html"}, []string{"2"}
	noStore             = []string{"no-store"}
)

// headerValue is the value of a header that is a content type.
func headerValue(contentType string) []string {
	switch contentType {
	case typeText:
		return textOnly
	case typeBytes:
		return bytesOnly
	}
	return []string{contentType}
}

// writePayload answers a GET. It flushes, because what net/http only keeps in its
// buffers cannot fail: an answer that the client will not get ends the session,
// so that the client hears of the loss, as Engine.IO has no way to repeat one.
func (s *Session) writePayload(a *answer, r *http.Request, units []unit, compress bool) error {
	body, contentType := s.dialect.payload(a.room[:0], units)
	w := a.w
	h := w.Header()
	h["Content-Type"] = headerValue(contentType)
	h["Cache-Control"] = noStore
	if compress {
		body = s.compress(h, r, body, units)
	}
	h["Content-Length"] = []string{strconv.Itoa(body.size())}
	w.WriteHeader(http.StatusOK)
	if err := s.writePieces(w, body); err != nil {
		return err
	}
	if err := http.NewResponseController(w).Flush(); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// writePieces writes body, and gives the rest its time anew after each answerPiece.
func (s *Session) writePieces(w io.Writer, body pieces) error {
	left, since := body.size(), 0
	for _, b := range body {
		for len(b) > 0 {
			n := min(len(b), answerPiece-since)
			if _, err := w.Write(b[:n]); err != nil {
				return err
			}
			b, left, since = b[n:], left-n, since+n
			if since == answerPiece && left > 0 {
				since = 0
				s.progress()
			}
		}
	}
	return nil
}

// answerPost takes packets. It reports whether it has read the body.
func (s *Session) answerPost(w http.ResponseWriter, r *http.Request) (read bool) {
	if !s.beginPost(w) {
		refuse(w, r, http.StatusBadRequest)
		return false
	}
	defer s.endPost()
	binary := first(r.Header["Content-Type"]) == typeBytes // to the letter, as the official server compares
	if binary && !s.dialect.takesBytes() {
		s.end(TransportError, errType)
		refuse(w, r, http.StatusBadRequest)
		return false
	}
	body, lent, err := s.readBody(w, r)
	defer bufpool.Put(lent)
	s.bodyRead()
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		refuse(w, r, http.StatusRequestEntityTooLarge)
		return false
	case err != nil:
		s.end(TransportError, errAborted)
		panic(http.ErrAbortHandler) // the request is incomplete: no answer, the connection ends
	}
	if err := s.dialect.take(s, body, binary); err != nil {
		s.end(ParseError, err)
	}
	h := w.Header()
	h["Content-Type"], h["Content-Length"], h["Cache-Control"] = typeHTML, lengthOK, noStore
	_, _ = io.WriteString(w, "ok")
	return true
}

// beginPost claims the session for a POST. An overlapping one ends it, and one
// that has ended has none: nobody would end the wait for its body.
func (s *Session) beginPost(w http.ResponseWriter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.posting || s.state == stateClosed {
		s.endLocked(TransportError, errOverlap)
		return false
	}
	s.posting, s.needed().body = true, w
	return true
}

// bodyRead notes that the body of the POST is there.
func (s *Session) bodyRead() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.body = nil
}

func (s *Session) endPost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posting, s.body = false, nil
	s.spare()
}

// readBody reads the body up to the limit, into what is lent if there is room:
// the packets of a body are lent to the Handler, like all others. A long body has
// to come, and not only to be announced, before it is lent much.
func (s *Session) readBody(w http.ResponseWriter, r *http.Request) (body []byte, lent *bufpool.Buffer, err error) {
	limit := s.srv.cfg.MaxHTTPBufferSize
	if r.ContentLength > limit {
		return nil, nil, &http.MaxBytesError{Limit: limit}
	}
	in := http.MaxBytesReader(w, r.Body, limit)
	size, n := int(min(max(r.ContentLength, 0)+bytes.MinRead, bufpool.Large)), 0
	lent = bufpool.Get(min(size, bufpool.Small))
	for err == nil && len(lent.Bytes()) < size {
		var k int
		k, err = in.Read(lent.Bytes()[n:])
		if n += k; n == len(lent.Bytes()) {
			more := bufpool.Get(min(size, 4*n))
			copy(more.Bytes(), lent.Bytes())
			bufpool.Put(lent)
			lent = more
		}
	}
	b := bytes.NewBuffer(lent.Bytes()[:n])
	if err == nil {
		_, err = b.ReadFrom(in)
	} else if err == io.EOF {
		err = nil
	}
	return b.Bytes(), lent, err
}
