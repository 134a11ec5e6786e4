package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/hermod-io/hermod/wscore"
)

// job is a request that waits for its turn.
type job struct {
	head string
	req  *Request
}

// size is the memory that it holds, in bytes.
func (j *job) size() int64 {
	q := j.req
	return int64(len(q.Method) + len(q.URL) + len(q.Header) + len(q.ContentType) + len(q.Content))
}

// onRequest sees to it that a request is handled: on a goroutine of its own, or
// in order after those before it where nobody waits for an answer, or answers
// carry no number. The reader never waits for a handler.
func (r *Peer) onRequest(m message, mark string) {
	req := m.request()
	req.Content = append([]byte(nil), req.Content...)
	if mark != "" {
		req.Header = addHeader(req.Header, frameHeader, mark)
	}
	if r.p.Logs(wscore.LogCallbacks) {
		r.p.Logger().Debug("rest: request", "id", r.p.ID(), "head", m.head, "method", req.Method, "url", req.URL)
	}
	j := job{m.head, req}
	if r.admit(j) {
		return
	}
	r.stats.refused.Add(1)
	if !req.NoAnswer {
		r.answer(m.head, &Answer{Status: http.StatusServiceUnavailable})
	}
}

// admit begins to handle a request or queues it; false if there are too many.
func (r *Peer) admit(j job) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sequenced && !j.req.NoAnswer {
		if r.running >= r.o.maxRequests() {
			return false
		}
		r.running++
		go r.handleAlone(j)
		return true
	}
	size := j.size()
	if len(r.queue) >= r.o.maxWaiting() || len(r.queue) > 0 && r.waiting+size > 4*int64(r.maxFrame()) {
		return false
	}
	r.queue = append(r.queue, j)
	r.waiting += size
	if !r.working {
		r.working = true
		go r.work()
	}
	return true
}

// handleAlone handles a request on its own goroutine, which ends with it.
func (r *Peer) handleAlone(j job) {
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.running--
	}()
	r.handle(j)
}

// work handles the queue in order, and ends with it. When the connection has
// ended, what wants no answer is handled still.
func (r *Peer) work() {
	ended := false
	defer func() {
		if !ended { // a handler ended the goroutine
			go r.work()
		}
	}()
	for {
		j, ok := r.next()
		if !ok {
			ended = true
			return
		}
		if j.req.NoAnswer || r.ctx.Err() == nil {
			r.handle(j)
		}
	}
}

// next takes a request off the queue. If there is none, the worker has ended.
func (r *Peer) next() (j job, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		r.working, r.queue = false, nil
		return j, false
	}
	j = r.queue[0]
	r.queue[0] = job{}
	r.queue = r.queue[1:]
	r.waiting -= j.size()
	return j, true
}

// handle calls the Handler and sends the answer, 500 if the Handler ends the
// goroutine (runtime.Goexit). A panic of the application's code while that is sent
// ends the connection.
func (r *Peer) handle(j job) {
	a, returned := &Answer{Status: http.StatusInternalServerError}, false
	defer func() {
		switch v := recover(); {
		case v != nil:
			r.logPanic("panic before the handler", j.req, v)
		case !returned:
			r.logPanic("panic in a handler", j.req, "runtime.Goexit")
		}
		r.reply(j, a)
	}()
	a = r.call(j.req)
	returned = true
}

func (r *Peer) reply(j job, a *Answer) {
	defer func() {
		if v := recover(); v != nil {
			r.logPanic("panic while answering", j.req, v)
			r.p.Fail(wscore.CloseInternal, errPanic)
		}
	}()
	if !j.req.NoAnswer && a.ContentType != noResponse {
		r.answer(j.head, a)
	}
}

// noResponse is the content type by which a handler of mORMot says that there is
// to be no answer.
const noResponse = "!NORESPONSE"

// requestContext is the context of a request: that of the connection, with the
// request as it travelled.
type requestContext struct {
	context.Context
	req *Request
}

type requestKey struct{}

// Value implements context.Context.
func (c requestContext) Value(key any) any {
	if key == (requestKey{}) {
		return c.req
	}
	return c.Context.Value(key)
}

// RequestFromContext returns the request that a Handler serves as it travelled:
// its URL and headers as they were written, and whether an answer is wanted. It
// is not to be changed.
func RequestFromContext(ctx context.Context) (*Request, bool) {
	req, ok := ctx.Value(requestKey{}).(*Request)
	return req, ok
}

// call is the Handler's answer; 500 if it panics.
func (r *Peer) call(req *Request) (a *Answer) {
	if r.o.Handler == nil {
		return &Answer{Status: http.StatusNotFound}
	}
	ctx, cancel := context.WithCancelCause(requestContext{r.ctx, req})
	defer cancel(context.Canceled)
	hr, err := r.httpRequest(ctx, req)
	if err != nil {
		r.badFrame(err)
		return &Answer{Status: http.StatusBadRequest}
	}
	defer func() {
		if v := recover(); v != nil {
			if v != http.ErrAbortHandler {
				r.logPanic("panic in a handler", req, v)
			}
			a = &Answer{Status: http.StatusInternalServerError}
		}
	}()
	w := &response{header: http.Header{}, head: hr.Method == http.MethodHead}
	r.o.Handler.ServeHTTP(w, hr)
	return w.answer()
}

var errPanic = errors.New("rest: panic while answering")

func (r *Peer) logPanic(what string, req *Request, v any) {
	r.p.Logger().Error("rest: "+what, "id", r.p.ID(), "url", req.URL, "panic", v, "stack", string(debug.Stack()))
}

// httpRequest is a request as net/http has it. Where it has no Authorization it
// gets the bearer token of the upgrade.
func (r *Peer) httpRequest(ctx context.Context, req *Request) (*http.Request, error) {
	u, err := url.ParseRequestURI("/" + strings.TrimPrefix(req.URL, "/"))
	if err != nil {
		return nil, err
	}
	hr, err := http.NewRequestWithContext(ctx, req.Method, u.String(), bytes.NewReader(req.Content))
	if err != nil {
		return nil, err
	}
	hr.URL, hr.RequestURI = u, u.RequestURI()
	parseHeader(hr.Header, req.Header)
	hr.Host = hr.Header.Get("Host")
	hr.Header.Del("Host")
	if req.ContentType != "" {
		hr.Header.Set("Content-Type", oneLine(req.ContentType))
	}
	up := r.p.Upgrade()
	if up.BearerToken != "" && hr.Header.Get("Authorization") == "" {
		hr.Header.Set("Authorization", "Bearer "+up.BearerToken)
	}
	hr.RemoteAddr = r.remoteAddr()
	return hr, nil
}

// remoteAddr is the peer as net/http writes it, with a port: 0 where a proxy told
// only the address.
func (r *Peer) remoteAddr() string {
	var conn netip.AddrPort
	if a := r.p.Conn().RemoteAddr(); a != nil {
		var err error
		if conn, err = netip.ParseAddrPort(a.String()); err != nil {
			return a.String() // of another kind
		}
	}
	told := r.p.Upgrade().RemoteAddr
	if !told.IsValid() || told == conn.Addr().Unmap() {
		return conn.String()
	}
	return netip.AddrPortFrom(told, 0).String()
}

// parseHeader reads lines of headers. What is no such line is left out, and so is
// what tells how content travels in HTTP: nothing of that is true here.
func parseHeader(h http.Header, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\r"), ":")
		name, value = textproto.TrimString(name), textproto.TrimString(value)
		if ok && isToken(name) && value == oneLine(value) && !framing(name) {
			h.Add(name, value)
		}
	}
}

// framing reports whether a header tells how content travels.
func framing(name string) bool {
	return strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding") || strings.EqualFold(name, "Trailer")
}

// isToken reports whether s is the name of a header. RFC 9110 section 5.6.2.
func isToken(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"(),/:;<=>?@[\\]{}", c) >= 0 {
			return false
		}
	}
	return s != ""
}

// oneLine is s with blanks for the control characters, but for tabs.
func oneLine(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' || c == 0x7f {
			return ' '
		}
		return c
	}, s)
}

// headerText is the lines of h, in alphabetical order, but for the content type,
// which travels beside them, and what parseHeader leaves out.
func headerText(h http.Header) string {
	var b strings.Builder
	names := make([]string, 0, len(h))
	for name := range h {
		if name != "Content-Type" && isToken(name) && !framing(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range h[name] {
			if b.Len() > 0 {
				b.WriteString("\r\n")
			}
			b.WriteString(name + ": " + oneLine(v))
		}
	}
	return b.String()
}

// response is an http.ResponseWriter that gathers an answer.
type response struct {
	header http.Header
	sent   http.Header // header when the status was written
	status int
	head   bool // the request's method is HEAD
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter. As there, a status of more or less
// than three digits panics, and one below 200 says nothing yet.
func (w *response) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("rest: status %d", status))
	}
	if w.status == 0 && status >= 200 {
		w.status, w.sent = status, w.header.Clone()
	}
}

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	if ok, err := w.takes(); !ok {
		return len(p), err
	}
	return w.body.Write(p)
}

// WriteString implements io.StringWriter.
func (w *response) WriteString(s string) (int, error) {
	if ok, err := w.takes(); !ok {
		return len(s), err
	}
	return w.body.WriteString(s)
}

// takes reports whether there is to be content. RFC 9110 sections 9.3.2 and 15.
func (w *response) takes() (bool, error) {
	w.WriteHeader(http.StatusOK)
	if w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return false, http.ErrBodyNotAllowed
	}
	return !w.head, nil
}

var _ io.StringWriter = (*response)(nil)

func (w *response) answer() *Answer {
	w.WriteHeader(http.StatusOK)
	contentType := oneLine(w.sent.Get("Content-Type"))
	if contentType == "" && w.body.Len() > 0 {
		contentType = http.DetectContentType(w.body.Bytes())
	}
	return &Answer{w.status, headerText(w.sent), contentType, w.body.Bytes()}
}
