package engineio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/internal/testnet"
)

// world is a server in a bubble of fake time, with the network it listens on.
type world struct {
	t   *testing.T
	srv *Server
	h   *recorder
	l   *testnet.Listener
}

// recorder is a Handler that remembers what it is told, a line each.
type recorder struct {
	onOpen    func(s *Session)
	onMessage func(s *Session, binary bool, data []byte)
	onClose   func()

	mu       sync.Mutex // guards what follows
	lines    []string
	sessions []*Session
}

func (h *recorder) note(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, fmt.Sprintf(format, args...))
}

func (h *recorder) OnOpen(s *Session) {
	h.mu.Lock()
	h.sessions = append(h.sessions, s)
	h.mu.Unlock()
	h.note("open")
	if h.onOpen != nil {
		h.onOpen(s)
	}
}

func (h *recorder) OnMessage(s *Session, binary bool, data []byte) {
	if binary {
		h.note("binary %x", data)
	} else {
		h.note("text %s", data)
	}
	if h.onMessage != nil {
		h.onMessage(s, binary, data)
	}
}

func (h *recorder) OnClose(_ *Session, reason Reason, _ error) {
	h.note("close: %s", reason)
	if h.onClose != nil {
		h.onClose()
	}
}

// session is the n-th session.
func (h *recorder) session(n int) *Session {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sessions[n]
}

// scenario runs f in a bubble. At its end the server is closed and nothing of it
// may be left.
func scenario(t *testing.T, cfg Config, f func(w *world)) {
	t.Helper()
	scenarioOn(t, &http.Server{}, cfg, f)
}

// scenarioOn is scenario with the program's http.Server.
func scenarioOn(t *testing.T, hs *http.Server, cfg Config, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, h: &recorder{}, l: testnet.Listen(testnet.Options{})}
		var err error
		if w.srv, err = New(cfg, w.h); err != nil {
			t.Fatal(err)
		}
		hs.Handler = w.srv
		served := make(chan error, 1)
		go func() { served <- hs.Serve(w.l) }() // ends with hs
		defer func() {                          // also when f has failed
			_ = w.srv.Close(t.Context())
			_ = hs.Close()
			<-served
		}()
		f(w)
		if err := w.srv.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
		synctest.Wait()
		if n, timers := w.srv.Clients(), w.srv.wheel.Len(); n != 0 || timers != 0 {
			t.Errorf("%d sessions and %d timers are left", n, timers)
		}
		w.everyoneCounted()
	})
}

// everyoneCounted compares the counts when all sessions have ended.
func (w *world) everyoneCounted() {
	s := w.srv.Stats()
	left := s.OpenedPolling + s.OpenedWebSocket
	for _, n := range s.Closed {
		left -= n
	}
	if left != 0 || s.Polling != 0 || s.WebSocket != 0 {
		w.t.Errorf("the counts of what has ended: %+v", s)
	}
}

// want compares what the handler was told since the last want.
func (w *world) want(why string, lines ...string) {
	w.t.Helper()
	synctest.Wait()
	w.h.mu.Lock()
	got := w.h.lines
	w.h.lines = nil
	w.h.mu.Unlock()
	if !slices.Equal(got, lines) {
		w.t.Fatalf("%s: the handler was told %q, want %q", why, got, lines)
	}
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// response is what came of a request.
type response struct {
	status int
	header http.Header
	body   string
}

// request sends a request on a connection of its own and returns its answer.
func (w *world) request(method, query, body string, header ...string) response {
	w.t.Helper()
	return w.start(method, query, body, header...).wait()
}

// pending is a request that may take a while.
type pending struct {
	w    *world
	nc   net.Conn
	done chan struct{}
	res  response
	err  error
}

func (w *world) start(method, query, body string, header ...string) *pending {
	w.t.Helper()
	nc, err := w.l.Dial()
	if err != nil {
		w.t.Fatal(err)
	}
	var head strings.Builder
	head.WriteString(fmt.Sprintf("%s /engine.io/?%s HTTP/1.1\r\nHost: here.example\r\nContent-Length: %d\r\n", method, query, len(body)))
	for _, line := range header {
		head.WriteString(line + "\r\n")
	}
	if _, err := io.WriteString(nc, head.String()+"\r\n"+body); err != nil {
		w.t.Fatal(err)
	}
	p := &pending{w: w, nc: nc, done: make(chan struct{})}
	go func() { // ends with the connection
		defer close(p.done)
		defer func() { _ = nc.Close() }()
		res, err := http.ReadResponse(bufio.NewReader(nc), &http.Request{Method: method})
		if err != nil {
			p.err = err
			return
		}
		b, err := io.ReadAll(res.Body)
		p.res, p.err = response{res.StatusCode, res.Header, string(b)}, err
	}()
	synctest.Wait()
	return p
}

func (p *pending) wait() response {
	p.w.t.Helper()
	select {
	case <-p.done:
	case <-time.After(10 * time.Minute):
		_ = p.nc.Close()
		p.w.t.Fatal("no answer in ten minutes")
	}
	if p.err != nil {
		p.w.t.Fatalf("no answer: %v", p.err)
	}
	return p.res
}

func (p *pending) wantWaiting(why string) {
	p.w.t.Helper()
	synctest.Wait()
	select {
	case <-p.done:
		p.w.t.Fatalf("%s: answered %+v, %v", why, p.res, p.err)
	default:
	}
}

func (p *pending) abort() {
	_ = p.nc.Close()
	<-p.done
	synctest.Wait()
}

// poller is a client that polls.
type poller struct {
	w    *world
	sid  string
	base string // its queries, but for the sid
}

const pollingQuery = "EIO=4&transport=polling"

func (w *world) poller() *poller {
	w.t.Helper()
	return w.pollerWith(pollingQuery)
}

// pollerWith opens a session with a query of the caller's.
func (w *world) pollerWith(query string) *poller {
	w.t.Helper()
	res := w.request("GET", query, "")
	sid := regexp.MustCompile(`0\{\\?"sid\\?":\\?"([\w-]+)`).FindStringSubmatch(res.body)
	if res.status != 200 || sid == nil {
		w.t.Fatalf("handshake: %+v", res)
	}
	return &poller{w, sid[1], query}
}

func (p *poller) query() string   { return p.base + "&sid=" + p.sid }
func (p *poller) begin() *pending { return p.w.start("GET", p.query(), "") }

func (p *poller) get(want, why string) {
	p.w.t.Helper()
	if res := p.w.request("GET", p.query(), ""); res.status != 200 || res.body != want {
		p.w.t.Fatalf("%s: %d %q, want %q", why, res.status, res.body, want)
	}
}

func (p *poller) post(body string) {
	p.w.t.Helper()
	if res := p.w.request("POST", p.query(), body); res.status != 200 || res.body != "ok" {
		p.w.t.Fatalf("POST: %+v", res)
	}
}

// gone checks that the session is not known any more.
func (p *poller) gone(why string) {
	p.w.t.Helper()
	if res := p.w.request("GET", p.query(), ""); res.body != `{"code":1,"message":"Session ID unknown"}` {
		p.w.t.Fatalf("%s: %+v", why, res)
	}
}

// wsClient is a raw WebSocket.
type wsClient struct {
	w  *world
	nc *testnet.Conn
	r  *bufio.Reader
}

const wsHeaders = "Host: here.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// dialWS opens a WebSocket; early is sent in the same piece as the request.
func (w *world) dialWS(query string, early ...string) (*wsClient, http.Header) {
	w.t.Helper()
	nc, err := w.l.Dial()
	if err != nil {
		w.t.Fatal(err)
	}
	var req strings.Builder
	req.WriteString("GET /engine.io/?" + query + " HTTP/1.1\r\n" + wsHeaders)
	for _, e := range early {
		req.WriteString(string(textFrame(e)))
	}
	if _, err := io.WriteString(nc, req.String()); err != nil {
		w.t.Fatal(err)
	}
	c := &wsClient{w, nc, bufio.NewReader(nc)}
	res, err := http.ReadResponse(c.r, nil)
	if err != nil || res.StatusCode != 101 {
		w.t.Fatalf("upgrade: %+v %v", res, err)
	}
	return c, res.Header
}

// websocket opens a session over WebSocket and takes its open packet.
func (w *world) websocket() *wsClient {
	w.t.Helper()
	c, _ := w.dialWS("EIO=4&transport=websocket")
	if p := c.next(); !strings.HasPrefix(p, `0{"sid":"`) {
		w.t.Fatalf("first packet %q", p)
	}
	return c
}

// probe opens a WebSocket for the session of p.
func (p *poller) probe() *wsClient {
	p.w.t.Helper()
	c, _ := p.w.dialWS("EIO=4&transport=websocket&sid=" + p.sid)
	return c
}

// textFrame is a masked text frame, with a key of zeros.
func textFrame(s string) []byte { return frame(0x81, s) }

func frame(b0 byte, s string) []byte {
	head := []byte{b0, 0x80 | byte(len(s))}
	if len(s) > 125 {
		head = []byte{b0, 0x80 | 126, byte(len(s) >> 8), byte(len(s))}
	}
	return append(append(head, 0, 0, 0, 0), s...)
}

func (c *wsClient) send(packets ...string) {
	c.w.t.Helper()
	for _, p := range packets {
		if _, err := c.nc.Write(textFrame(p)); err != nil {
			c.w.t.Fatal(err)
		}
	}
	synctest.Wait()
}

// next returns the next message: text, or "binary …", or "close CODE", or "end".
func (c *wsClient) next() string {
	c.w.t.Helper()
	if err := c.nc.SetReadDeadline(time.Now().Add(10 * time.Minute)); err != nil {
		c.w.t.Fatal(err)
	}
	var h [4]byte
	if _, err := io.ReadFull(c.r, h[:2]); err != nil {
		if errors.Is(err, io.EOF) {
			return "end"
		}
		return "end: " + err.Error()
	}
	n := int(h[1])
	if n == 126 {
		if _, err := io.ReadFull(c.r, h[2:]); err != nil {
			c.w.t.Fatal(err)
		}
		n = int(h[2])<<8 | int(h[3])
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c.r, b); err != nil {
		c.w.t.Fatal(err)
	}
	switch h[0] {
	case 0x81:
		return string(b)
	case 0x82:
		return fmt.Sprintf("binary %x", b)
	case 0x88:
		if len(b) < 2 {
			return "close"
		}
		return fmt.Sprintf("close %d", int(b[0])<<8|int(b[1]))
	}
	return fmt.Sprintf("frame %x", h[0])
}

func (c *wsClient) want(want, why string) {
	c.w.t.Helper()
	if got := c.next(); got != want {
		c.w.t.Fatalf("%s: got %q, want %q", why, got, want)
	}
}

func (c *wsClient) wantSilence(why string) {
	c.w.t.Helper()
	synctest.Wait()
	if n := c.nc.Unread() + c.r.Buffered(); n != 0 {
		c.w.t.Fatalf("%s: got %q", why, c.next())
	}
}
