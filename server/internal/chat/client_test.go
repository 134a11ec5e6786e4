package chat

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/socketio"
)

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// serve runs a server with a chat, and returns its address.
func serve(t *testing.T, cfg Config) (string, *chat) {
	t.Helper()
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	c := register(srv, cfg)
	ts := httptest.NewServer(srv)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Close(ctx); err != nil {
			t.Error(err)
		}
		ts.Close()
	})
	return strings.TrimPrefix(ts.URL, "http://"), c
}

// peer is a client that speaks the protocol by hand, so that the tests see what
// is on the wire: an Engine.IO text is a text frame, an attachment a binary one.
type peer struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	acks int
	late []incoming // events that came while an ack was waited for
}

// incoming is a Socket.IO packet with its attachments.
type incoming struct {
	ack   int // -1 if it is an event
	event string
	args  []json.RawMessage
	bins  [][]byte
}

// dial connects to the main namespace over WebSocket.
func dial(t *testing.T, addr string) *peer {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	p := &peer{t: t, conn: conn, in: bufio.NewReader(conn)}
	p.deadline()
	fmt.Fprintf(conn, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
		addr, base64.StdEncoding.EncodeToString(make([]byte, 16)))
	res, err := http.ReadResponse(p.in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: %v, %v", res, err)
	}
	p.wantText("0{")
	p.frame(1, []byte("40"))
	p.wantText("40{")
	return p
}

func (p *peer) deadline() { _ = p.conn.SetDeadline(time.Now().Add(patience)) }

// frame sends one masked frame; the mask is zero. RFC 6455 section 5.2.
func (p *peer) frame(opcode byte, payload []byte) {
	p.t.Helper()
	head := []byte{0x80 | opcode}
	switch n := len(payload); {
	case n < 126:
		head = append(head, 0x80|byte(n))
	case n < 1<<16:
		head = binary.BigEndian.AppendUint16(append(head, 0x80|126), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 0x80|127), uint64(n))
	}
	head = append(head, 0, 0, 0, 0)
	if _, err := p.conn.Write(append(head, payload...)); err != nil {
		p.t.Fatalf("write: %v", err)
	}
}

// read returns the next frame.
func (p *peer) read() (opcode byte, payload []byte, err error) {
	p.deadline()
	var head [2]byte
	if _, err = io.ReadFull(p.in, head[:]); err != nil {
		return 0, nil, err
	}
	n := uint64(head[1])
	if size := map[uint64]int{126: 2, 127: 8}[n]; size > 0 {
		var ext [8]byte
		if _, err = io.ReadFull(p.in, ext[8-size:]); err != nil {
			return 0, nil, err
		}
		n = binary.BigEndian.Uint64(ext[:])
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(p.in, payload)
	return head[0] & 0xf, payload, err
}

func (p *peer) wantText(prefix string) {
	p.t.Helper()
	if op, b, err := p.read(); err != nil || op != 1 || !strings.HasPrefix(string(b), prefix) {
		p.t.Fatalf("read %d %q, %v; want a text with %q", op, b, err, prefix)
	}
}

// next returns the next packet that is an event or an ack.
func (p *peer) next() incoming {
	p.t.Helper()
	for {
		op, b, err := p.read()
		if err != nil {
			p.t.Fatalf("read: %v", err)
		}
		if s := string(b); op == 1 && len(s) > 1 && s[0] == '4' && strings.ContainsRune("2356", rune(s[1])) {
			return p.parse(s[1:])
		} else if s == "2" {
			p.frame(1, []byte("3"))
		} else {
			p.t.Fatalf("read frame %d %q", op, s)
		}
	}
}

// parse reads "<type>[<attachments>-][<id>]<json>" and the attachments.
func (p *peer) parse(s string) incoming {
	p.t.Helper()
	in := incoming{ack: -1}
	kind, s := s[0], s[1:]
	if kind == '5' || kind == '6' {
		count, rest, _ := strings.Cut(s, "-")
		n, err := strconv.Atoi(count)
		if err != nil {
			p.t.Fatalf("no count of attachments: %q", s)
		}
		s = rest
		for range n {
			op, b, err := p.read()
			if err != nil || op != 2 {
				p.t.Fatalf("attachment: %d, %v", op, err)
			}
			in.bins = append(in.bins, b)
		}
	}
	text := strings.TrimLeft(s, "0123456789")
	if id := s[:len(s)-len(text)]; id != "" {
		in.ack, _ = strconv.Atoi(id)
	}
	if err := json.Unmarshal([]byte(text), &in.args); err != nil {
		p.t.Fatalf("%q: %v", text, err)
	}
	if kind == '2' || kind == '5' {
		decode(p.t, in.args[0], &in.event)
		in.args = in.args[1:]
	}
	return in
}

func decode(t *testing.T, raw json.RawMessage, v any) {
	t.Helper()
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
}

// emit sends an event without an ack.
func (p *peer) emit(event string, arg any) {
	p.t.Helper()
	text, _ := json.Marshal([]any{event, arg})
	p.frame(1, append([]byte("42"), text...))
}

// ask sends an event, attachments included, and returns its ack. Events that
// come before it are kept for want.
func (p *peer) ask(event string, arg any, bins ...[]byte) incoming {
	p.t.Helper()
	text, _ := json.Marshal([]any{event, arg})
	p.acks++
	head := fmt.Sprintf("42%d", p.acks)
	if len(bins) > 0 {
		head = fmt.Sprintf("45%d-%d", len(bins), p.acks)
	}
	p.frame(1, append([]byte(head), text...))
	for _, b := range bins {
		p.frame(2, b)
	}
	for {
		in := p.next()
		if in.ack == p.acks {
			return in
		}
		p.late = append(p.late, in)
	}
}

// want returns the next event of that name, and passes over the list of rooms,
// which comes whenever it comes.
func (p *peer) want(event string) incoming {
	p.t.Helper()
	for {
		var in incoming
		if len(p.late) > 0 {
			in, p.late = p.late[0], p.late[1:]
		} else {
			in = p.next()
		}
		switch {
		case in.event == event:
			return in
		case in.event != Rooms.Name():
			p.t.Fatalf("received %q %s, want %q", in.event, in.args, event)
		}
	}
}

// request is ask whose answer is decoded; the code is that of a refusal.
func request[T any](p *peer, event string, arg any, bins ...[]byte) (v T, code string) {
	p.t.Helper()
	in := p.ask(event, arg, bins...)
	var refusal struct {
		Error struct{ Code, Message string } `json:"error"`
	}
	if len(in.args) != 1 {
		p.t.Fatalf("%s: answered with %s", event, in.args)
	}
	decode(p.t, in.args[0], &refusal)
	if refusal.Error.Code == "" {
		decode(p.t, in.args[0], &v)
	} else if refusal.Error.Message == "" {
		p.t.Errorf("%s: %s without a message for people", event, refusal.Error.Code)
	}
	return v, refusal.Error.Code
}

// enter joins a room and fails the test if that is refused.
func (p *peer) enter(room, name, key string) Joined {
	p.t.Helper()
	v, code := request[Joined](p, "join", JoinRequest{room, name, key})
	if code != "" {
		p.t.Fatalf("join: %s", code)
	}
	return v
}

// say sends a text and fails the test if that is refused.
func (p *peer) say(id, text string) Receipt {
	p.t.Helper()
	v, code := request[Receipt](p, "say", Text{id, text})
	if code != "" {
		p.t.Fatalf("say: %s", code)
	}
	return v
}

// arg decodes the first argument of an event.
func arg[T any](in incoming, t *testing.T) (v T) {
	t.Helper()
	decode(t, in.args[0], &v)
	return v
}
