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

// getRequest is a GET that waits, and then its answer.
type getRequest struct {
	ready  chan struct{}
	before chan struct{} // closed when the answer before is through; nil: it is
	woken  bool
	last   packet.Type // what it gets when nothing else is there
	ends   Reason      // of the session, which ends with the answer; or ""
	answer answer
}

// wake lets the request answer. The session's mu is held.
func (g *getRequest) wake() {
	if !g.woken {
		g.woken = true
		close(g.ready)
	}
}

// answer is the response to a GET that is on its way.
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
func (a *answer) limit(d time.Duration) {
	_ = http.NewResponseController(a.w).SetWriteDeadline(time.Now().Add(d))
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

// beginAnswer notes that an answer is on its way, which may take as long as the
// heartbeat bears with a silent client: the deadline of net/http has run while the
// request waited. mu is held.
func (s *Session) beginAnswer(a *answer) {
	s.answer = a
	if s.state == stateClosed {
		a.limit(lastAnswer)
	} else {
		a.limit(s.srv.answerTime())
	}
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
	exchange{do: exchange.open, s: s, w: w, r: r}.run()
}

// open tells the client and the Handler of the session.
func (x exchange) open() {
	s := x.s
	var upgrades []string
	if !s.srv.cfg.NoUpgrades && s.srv.has(WebSocket) {
		upgrades = []string{WebSocket}
	}
	s.greet(upgrades)
	s.opened()
	if x.get = x.beginGet(); x.get != nil {
		x.get.await(x.r.Context())
		x.answerGet()
	}
}

// poll serves a polling request of the session. How long that takes is up to the
// session, and no matter of http.Server.WriteTimeout, which over HTTP/2 even ends
// a request that waits.
func (s *Session) poll(w http.ResponseWriter, r *http.Request) {
	x := exchange{s: s, w: w, r: r}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	s.srv.responseHeaders(w.Header(), r, false)
	switch r.Method {
	case http.MethodGet:
		if x.get = x.beginGet(); x.get != nil {
			x.get.await(r.Context())
			x.do = exchange.answerGet
			x.run()
		}
		x.leave()
	case http.MethodPost:
		x.do = exchange.post
		x.run()
	default:
		refuse(w, r, http.StatusInternalServerError)
		x.leave()
	}
}

// beginGet has the GET wait until there is something to send, and the answer before
// is through: a client that has it may be faster than the one who wrote it. It
// returns nil if the GET is refused.
func (x exchange) beginGet() *getRequest {
	s, g := x.s, &getRequest{ready: make(chan struct{}), last: packet.Noop, answer: answer{w: x.w}}
	s.mu.Lock()
	if s.get != nil {
		s.endLocked(TransportError, errOverlap)
		s.mu.Unlock()
		refuse(x.w, x.r, http.StatusBadRequest)
		return nil
	}
	if s.ws.Load() != nil { // the upgrade was faster than this request
		s.mu.Unlock()
		s.srv.reject(x.w, x.r, &ConnectionError{Request: x.r, Code: CodeBadRequest, Message: codeMessages[CodeBadRequest],
			Context: map[string]any{"name": "TRANSPORT_MISMATCH", "transport": Polling, "previousTransport": WebSocket}})
		return nil
	}
	defer s.mu.Unlock()
	s.needed().get = g
	if s.state == stateClosing && s.box.empty() {
		s.box.units = append(s.box.units,
			unit{pkts: []packet.Packet{{Type: packet.Noop}, {Type: packet.Close}}, noCompress: true})
		s.stopPatience()
		g.ends = s.reason
	}
	if !s.box.empty() || s.state == stateClosed {
		g.wake()
	}
	if s.answer != nil {
		s.answer.sent = make(chan struct{}) // there is one GET at a time, so nobody else waits
		g.before = s.answer.sent
	}
	return g
}

// await waits for wake and for the end of the answer before, or for ctx.
func (g *getRequest) await(ctx context.Context) {
	if g.before != nil {
		select {
		case <-g.before:
		case <-ctx.Done():
			return
		}
	}
	select {
	case <-g.ready:
	case <-ctx.Done():
	}
}

// answerGet answers a GET that has waited.
func (x exchange) answerGet() {
	s, g := x.s, x.get
	if g.ends != "" {
		defer s.end(g.ends, nil)
	}
	s.mu.Lock()
	s.get = nil
	if !g.woken || x.r.Context().Err() != nil {
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
	s.beginAnswer(&g.answer)
	s.mu.Unlock()
	endBody(x.w, x.r)
	defer s.answered()
	if x.writePayload(units, compress) != nil {
		s.end(TransportError, errAborted)
	}
}

// answered notes that the answer is through.
func (s *Session) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answer.sent != nil {
		close(s.answer.sent)
	}
	s.answer = nil
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
func (x exchange) writePayload(units []unit, compress bool) error {
	s, w := x.s, x.w
	body, contentType := s.dialect.payload(x.get.answer.room[:0], units)
	h := w.Header()
	h["Content-Type"] = headerValue(contentType)
	h["Cache-Control"] = noStore
	if compress {
		body = s.compress(h, x.r, body, units)
	}
	h.Set("Content-Length", strconv.Itoa(body.size()))
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

// post takes packets. The next POST may come as soon as the client has its answer,
// so this one has ended before that is sent.
func (x exchange) post() {
	taken := x.takePost()
	x.leave()
	if taken && x.lent { // else net/http puts the headers together on its own goroutine
		_ = http.NewResponseController(x.w).Flush()
	}
}

// leave bounds the time in which net/http sends what it still has of a short
// answer, when the request has been served.
func (x exchange) leave() {
	_ = http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(lastAnswer))
}

// takePost reports whether the answer is that the packets are taken.
func (x exchange) takePost() bool {
	s := x.s
	if !s.beginPost(x.w) {
		refuse(x.w, x.r, http.StatusBadRequest)
		return false
	}
	defer s.endPost()
	binary := x.r.Header.Get("Content-Type") == typeBytes // to the letter, as the official server compares
	if binary && !s.dialect.takesBytes() {
		s.end(TransportError, errType)
		refuse(x.w, x.r, http.StatusBadRequest)
		return false
	}
	body, lent, err := s.readBody(x.w, x.r)
	defer bufpool.Put(lent)
	s.bodyRead()
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		refuse(x.w, x.r, http.StatusRequestEntityTooLarge)
		return false
	case err != nil:
		s.end(TransportError, errAborted)
		panic(http.ErrAbortHandler) // the request is incomplete: no answer, the connection ends
	}
	if err := s.dialect.take(s, body, binary); err != nil {
		s.end(ParseError, err)
	}
	h := x.w.Header()
	h["Content-Type"], h["Content-Length"], h["Cache-Control"] = typeHTML, lengthOK, noStore
	_, _ = io.WriteString(x.w, "ok")
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
	s.posting, s.needed().body = true, http.NewResponseController(w)
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
