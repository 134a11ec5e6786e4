package socketio_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
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

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/socketio"
)

// The harness: a rig is a server in a bubble, in memory, that runs the
// production path; a peer is a client that speaks raw Engine.IO messages to it
// over one of the transports and gives reasons for what it expects.
//
//	run(t, socketio.Config{}, func(r *rig) {
//		p := r.join("/")
//		p.send(`42["say","hi"]`)
//		p.want(`42["said","hi"]`, "an echo")
//	})

// rig is a server with its network. It belongs to the goroutine of the test.
type rig struct {
	*testing.T
	srv       *socketio.Server
	listener  *testnet.Listener
	http      *http.Server
	transport string
	peers     []*peer
	dialect   dialect // of the peers that are opened next
}

// transports are what a body of a test is run over.
var transports = []string{engineio.WebSocket, engineio.Polling}

// run runs a body over every transport, each in a bubble of its own, which
// fails if a goroutine is left.
func run(t *testing.T, cfg socketio.Config, f func(r *rig)) {
	t.Helper()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) { bubble(t, transport, cfg, f) })
	}
}

// runWebSocket is run over that transport alone.
func runWebSocket(t *testing.T, cfg socketio.Config, f func(r *rig)) {
	t.Helper()
	bubble(t, engineio.WebSocket, cfg, f)
}

func bubble(t *testing.T, transport string, cfg socketio.Config, f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv, err := socketio.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{T: t, srv: srv, listener: testnet.Listen(testnet.Options{}), transport: transport}
		r.http = &http.Server{Handler: srv}
		go r.http.Serve(r.listener)
		defer r.close()
		f(r)
	})
}

// close ends everything; it also runs when the body has failed.
func (r *rig) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	if err := r.srv.Close(ctx); err != nil {
		r.Errorf("Close: %v", err)
	}
	for _, p := range r.peers {
		p.hangUp()
	}
	r.http.Close()
}

// eventually waits for something that happens on the server's side.
func (r *rig) eventually(what string, f func() bool) {
	r.Helper()
	for range 1000 {
		synctest.Wait()
		if f() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.Fatalf("it did not happen: %s", what)
}

// list collects what handlers see.
type list[T any] struct {
	mu sync.Mutex // guards what follows
	v  []T
}

func (l *list[T]) add(v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.v = append(l.v, v)
}

func (l *list[T]) all() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.v)
}

// message is an Engine.IO packet that the peer received: text with its type, or
// the bytes of a binary message behind a "b".
type message string

// peer is a client of the server.
type peer struct {
	r        *rig
	received chan message // closed at the end
	write    func(m message) error
	hangUp   func() // cuts the connection
	conn     *testnet.Conn
	poll     func() []message // of a quiet polling peer: one GET
	sid      string           // of the namespace that was joined last
}

// open connects a peer that has no namespace yet.
func (r *rig) open() *peer {
	r.Helper()
	p := &peer{r: r, received: make(chan message, 1<<12)}
	if r.transport == engineio.Polling {
		r.openPolling(p)
	} else {
		r.openWebSocket(p)
	}
	r.peers = append(r.peers, p)
	p.wantMatch(`^0\{"sid"`, "the handshake")
	return p
}

// join connects a peer and joins a namespace.
func (r *rig) join(ns string) *peer {
	r.Helper()
	p := r.open()
	p.join(ns)
	return p
}

// join joins a namespace and returns the socket's id.
func (p *peer) join(ns string) string {
	p.r.Helper()
	p.send("40" + address(ns))
	got := p.wantMatch(`^40(/[^,]*,)?\{"sid":"[A-Za-z0-9_-]{20}"\}$`, "the reply to CONNECT")
	p.sid = regexp.MustCompile(`"sid":"([^"]*)"`).FindStringSubmatch(string(got))[1]
	return p.sid
}

// socket is the server's side of the peer in the main namespace.
func (p *peer) socket() *socketio.Socket {
	p.r.Helper()
	s := p.r.srv.Socket(p.sid)
	if s == nil {
		p.r.Fatalf("no socket %s", p.sid)
	}
	return s
}

func address(ns string) string {
	if ns == "/" {
		return ""
	}
	return ns + ","
}

// pause sleeps in a bubble. It is no receive from time.After: of channels that
// are due at once, as those of After(0), two that are received from at a time
// end the race detector of a bubble with a segmentation fault (Go 1.26).
func pause(d time.Duration) { time.Sleep(d) }

// send sends Engine.IO packets; one that begins with "b" is binary.
func (p *peer) send(ms ...string) {
	p.r.Helper()
	for _, m := range ms {
		if err := p.write(message(m)); err != nil {
			p.r.Fatalf("send %q: %v", m, err)
		}
	}
}

// next returns the next packet that is no heartbeat; ok is false at the end.
func (p *peer) next(why string) (m message, ok bool) {
	p.r.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case m, ok = <-p.received:
			if ok && m == "2" {
				p.send("3")
				continue
			}
			if m == "6" {
				continue
			}
			return m, ok
		case <-late:
			p.r.Fatalf("nothing came for a minute; %s", why)
		}
	}
}

// want expects a packet.
func (p *peer) want(want, why string) {
	p.r.Helper()
	if got, ok := p.next(why); !ok || got != message(want) {
		p.r.Fatalf("got %q (%v), want %q: %s", cut(got), ok, want, why)
	}
}

// wantMatch expects a packet that matches a pattern.
func (p *peer) wantMatch(pattern, why string) message {
	p.r.Helper()
	got, ok := p.next(why)
	if !ok || !regexp.MustCompile(pattern).MatchString(string(got)) {
		p.r.Fatalf("got %q (%v), want %s: %s", cut(got), ok, pattern, why)
	}
	return got
}

func cut(m message) message { return m[:min(len(m), 300)] }

// wantClosed expects the end of the connection, without another message.
func (p *peer) wantClosed(why string) {
	p.r.Helper()
	for {
		m, ok := p.next(why)
		if !ok {
			return
		}
		if m != "1" {
			p.r.Fatalf("got %q, want the end: %s", cut(m), why)
		}
	}
}

// wantIdle expects that nothing comes of what happened so far.
func (p *peer) wantIdle(why string) {
	p.r.Helper()
	synctest.Wait()
	for {
		select {
		case m, ok := <-p.received:
			if !ok || m != "6" && m != "2" {
				p.r.Fatalf("got %q (%v), want nothing: %s", cut(m), ok, why)
			}
			if m == "2" {
				p.send("3")
			}
		default:
			return
		}
	}
}

// openPolling starts a loop of GETs.
func (r *rig) openPolling(p *peer) {
	ctx, cancel := context.WithCancel(context.Background())
	client := &http.Client{Transport: &http.Transport{DialContext: r.listener.DialContext}}
	p.hangUp = func() {
		cancel()
		client.CloseIdleConnections()
		for range p.received {
			continue
		}
	}
	d := r.dialect
	url := "http://server/socket.io/?" + d.version() + "&transport=polling"
	get := func() ([]message, error) {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		return d.do(client, req)
	}
	first, err := get()
	if err != nil {
		r.Fatal(err)
	}
	url += "&sid=" + regexp.MustCompile(`"sid":"([^"]*)"`).FindStringSubmatch(string(first[0]))[1]
	p.write = func(m message) error {
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(d.payload(m)))
		_, err := d.do(client, req)
		return err
	}
	go func() {
		defer close(p.received)
		for ms := first; err == nil; ms, err = get() {
			for _, m := range ms {
				p.received <- m
			}
		}
	}()
}

// stalled connects a peer that joined the main namespace and reads no more.
func (r *rig) stalled() *peer {
	r.Helper()
	conn := dial(r.T, r.listener)
	p := &peer{r: r, conn: conn, hangUp: func() { conn.Close() }}
	r.peers = append(r.peers, p)
	return p
}

// quietPolling connects a polling peer that sends but never waits for more.
func (r *rig) quietPolling() *peer {
	ctx, cancel := context.WithCancel(context.Background())
	client := &http.Client{Transport: &http.Transport{DialContext: r.listener.DialContext}}
	p := &peer{r: r, hangUp: func() {
		cancel()
		client.CloseIdleConnections()
	}}
	r.peers = append(r.peers, p)
	url := "http://server/socket.io/?EIO=4&transport=polling"
	p.poll = func() []message {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		got, err := do(client, req)
		if err != nil {
			r.Fatal(err)
		}
		return got
	}
	url += "&sid=" + regexp.MustCompile(`"sid":"([^"]*)"`).FindStringSubmatch(string(p.poll()[0]))[1]
	p.write = func(m message) error {
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(payload(m)))
		_, err := do(client, req)
		return err
	}
	return p
}

// payload is the polling form of packets, which the peer separates by 0x1E
// itself.
func payload(m message) string {
	parts := strings.Split(string(m), "\x1e")
	for i, s := range parts {
		if b, ok := strings.CutPrefix(s, "b"); ok {
			parts[i] = "b" + base64.StdEncoding.EncodeToString([]byte(b))
		}
	}
	return strings.Join(parts, "\x1e")
}

func do(client *http.Client, req *http.Request) ([]message, error) {
	body, err := fetch(client, req)
	if err != nil {
		return nil, err
	}
	var ms []message
	for s := range strings.SplitSeq(body, "\x1e") {
		if b, ok := strings.CutPrefix(s, "b"); ok {
			raw, err := base64.StdEncoding.DecodeString(b)
			if err != nil {
				return nil, err
			}
			s = "b" + string(raw)
		}
		ms = append(ms, message(s))
	}
	return ms, nil
}

func fetch(client *http.Client, req *http.Request) (string, error) {
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s %.100q: %w", res.Status, body, err)
	}
	return string(body), nil
}

// upgradeRequest opens a session over websocket.
const upgradeRequest = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: server\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// openWebSocket dials a websocket whose frames the harness makes itself.
func (r *rig) openWebSocket(p *peer) {
	conn, err := r.listener.Dial()
	if err != nil {
		r.Fatal(err)
	}
	p.conn = conn
	p.hangUp = func() {
		conn.Close()
		for range p.received {
			continue
		}
	}
	if _, err := io.WriteString(conn, r.dialect.request()); err != nil {
		r.Fatal(err)
	}
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		r.Fatalf("upgrade: %v, %v", res, err)
	}
	p.write = func(m message) error {
		_, err := conn.Write(frames(m))
		return err
	}
	go func() {
		defer close(p.received)
		for {
			m, err := readFrame(in)
			if err != nil {
				_, _ = conn.Write([]byte{0x88, 0x80, 0, 0, 0, 0}) // the answer to a close frame
				return
			}
			p.received <- m
		}
	}()
}

// frames are the masked frames of packets separated by 0x1E, to be written at
// once.
func frames(m message) []byte {
	var out []byte
	for s := range strings.SplitSeq(string(m), "\x1e") {
		op := byte(0x81)
		if b, ok := strings.CutPrefix(s, "b"); ok {
			op, s = 0x82, b
		}
		out = append(out, op)
		switch n := len(s); {
		case n < 126:
			out = append(out, 0x80|byte(n))
		case n < 1<<16:
			out = binary.BigEndian.AppendUint16(append(out, 0x80|126), uint16(n))
		default:
			out = binary.BigEndian.AppendUint64(append(out, 0x80|127), uint64(n))
		}
		out = append(append(out, 0, 0, 0, 0), s...) // masked with zeros
	}
	return out
}

// readFrame reads a message; the close frame is the end.
func readFrame(in *bufio.Reader) (message, error) {
	var h [2]byte
	if _, err := io.ReadFull(in, h[:]); err != nil {
		return "", err
	}
	n := uint64(h[1])
	if n >= 126 {
		ext := make([]byte, 2+6*(n-126))
		if _, err := io.ReadFull(in, ext); err != nil {
			return "", err
		}
		n = 0
		for _, b := range ext {
			n = n<<8 | uint64(b)
		}
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(in, data); err != nil {
		return "", err
	}
	switch h[0] {
	case 0x81:
		return message(data), nil
	case 0x82:
		return message("b" + string(data)), nil
	}
	return "", net.ErrClosed
}
