package wscore

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/internal/testnet"
)

// peer is a client made of raw bytes, and the server's connection it talks to.
// want and its siblings say what must come next, and why.
type peer struct {
	t    *testing.T
	nc   *testnet.Conn // the client's end
	end  *testnet.Conn // the server's end
	r    *bufio.Reader
	srv  *Server
	conn *Conn
	rec  *recorder
}

// recorder is a Protocol that remembers what it is told.
type recorder struct {
	onMessage func(op Opcode, data []byte)

	mu     sync.Mutex // guards what follows
	heard  []string
	why    error
	closes int
}

func (r *recorder) OnMessage(op Opcode, data []byte) {
	r.mu.Lock()
	r.heard = append(r.heard, fmt.Sprintf("%d %s", op, data))
	r.mu.Unlock()
	if r.onMessage != nil {
		r.onMessage(op, data)
	}
}

func (r *recorder) OnClose(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.why = err
	r.closes++
}

func (r *recorder) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.heard)
}

// closed returns how often OnClose was called, and what it was told.
func (r *recorder) closed() (closes int, why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closes, r.why
}

// scenario runs f in a bubble of fake time. At its end the server is closed,
// and nothing of it may be left.
func scenario(t *testing.T, s Settings, o testnet.Options, f func(p *peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t, s, o)
		p.conn.Serve(p.rec)
		synctest.Wait()
		f(p)
		p.finish()
	})
}

// dial returns a peer whose stream has no Conn yet.
func dial(t *testing.T, s Settings, o testnet.Options) *peer {
	client, server := testnet.Pipe(o)
	return &peer{t: t, nc: client, end: server, r: bufio.NewReader(client), srv: NewServer(s), rec: &recorder{}}
}

func newPeer(t *testing.T, s Settings, o testnet.Options) *peer {
	p := dial(t, s, o)
	p.conn = p.srv.NewConn(p.end)
	return p
}

func (p *peer) finish() {
	p.t.Helper()
	_ = p.nc.Close()
	if err := p.srv.Close(p.t.Context()); err != nil {
		p.t.Errorf("Server.Close: %v", err)
	}
	synctest.Wait()
	if n, _ := p.rec.closed(); n != 1 {
		p.t.Errorf("OnClose was called %d times", n)
	}
	if n, w := p.srv.Conns(), p.srv.wheel.Len(); n != 0 || w != 0 {
		p.t.Errorf("%d connections and %d timers are left", n, w)
	}
}

// write sends bytes and lets the server take them.
func (p *peer) write(frames ...[]byte) {
	p.t.Helper()
	if _, err := p.nc.Write(bytes.Join(frames, nil)); err != nil {
		p.t.Fatalf("write: %v", err)
	}
	synctest.Wait()
}

// want reads the next frame of the server.
func (p *peer) want(op Opcode, payload, why string) {
	p.t.Helper()
	gotOp, got, err := readServerFrame(p.r)
	if err != nil || gotOp != op || string(got) != payload {
		p.t.Fatalf("%s: got frame %d %q, %v", why, gotOp, got, err)
	}
}

// wantClose reads a close frame of that code, then answers it.
func (p *peer) wantClose(code CloseCode, why string) {
	p.t.Helper()
	op, b, err := readServerFrame(p.r)
	if err != nil || op != OpClose {
		p.t.Fatalf("%s: got frame %d %q, %v", why, op, b, err)
	}
	got := CloseNoStatus
	if len(b) >= 2 {
		got = CloseCode(binary.BigEndian.Uint16(b))
	}
	if got != code {
		p.t.Fatalf("%s: close code %d (%q), want %d", why, got, b, code)
	}
}

// wantEnd expects the end of the stream.
func (p *peer) wantEnd(why string) {
	p.t.Helper()
	if b, err := p.r.ReadByte(); err != io.EOF {
		p.t.Fatalf("%s: byte %x, %v", why, b, err)
	}
}

// wantLost expects the end of the stream, by a reset if it must be.
func (p *peer) wantLost(why string) {
	p.t.Helper()
	if b, err := p.r.ReadByte(); err == nil {
		p.t.Fatalf("%s: byte %x", why, b)
	}
}

// wantOpen expects that OnClose was not called yet.
func (p *peer) wantOpen(why string) {
	p.t.Helper()
	if n, err := p.rec.closed(); n != 0 {
		p.t.Fatalf("%s: closed: %v", why, err)
	}
}

// wantSilence expects that nothing is there to be read.
func (p *peer) wantSilence(why string) {
	p.t.Helper()
	synctest.Wait()
	if n := p.nc.Unread() + p.r.Buffered(); n != 0 {
		p.t.Fatalf("%s: %d bytes came", why, n)
	}
}

// wantGot compares what the protocol was told.
func (p *peer) wantGot(want ...string) {
	p.t.Helper()
	synctest.Wait()
	if got := p.rec.got(); !slices.Equal(got, want) {
		p.t.Errorf("the protocol was told %q, want %q", got, want)
	}
}

// wantClosed expects OnClose with a *CloseError.
func (p *peer) wantClosed(code CloseCode, remote bool) *CloseError {
	p.t.Helper()
	synctest.Wait()
	var ce *CloseError
	_, why := p.rec.closed()
	if !errors.As(why, &ce) || ce.Code != code || ce.Remote != remote {
		p.t.Fatalf("OnClose(%v), want code %d, remote %v", why, code, remote)
	}
	return ce
}

// pass lets time go by.
func (p *peer) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// readServerFrame reads one unfragmented, unmasked frame.
func readServerFrame(r io.Reader) (op Opcode, payload []byte, err error) {
	var h [10]byte
	if _, err := io.ReadFull(r, h[:2]); err != nil {
		return 0, nil, err
	}
	if h[0]&0xf0 != 0x80 || h[1]&0x80 != 0 {
		return 0, nil, fmt.Errorf("not one whole unmasked frame: %x", h[:2])
	}
	n := uint64(h[1])
	switch n {
	case 126:
		_, err = io.ReadFull(r, h[2:4])
		n = uint64(binary.BigEndian.Uint16(h[2:]))
	case 127:
		_, err = io.ReadFull(r, h[2:10])
		n = binary.BigEndian.Uint64(h[2:])
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(r, payload)
	return Opcode(h[0] & 0xf), payload, err
}

func text(s string) []byte { return clientFrame(true, OpText, []byte(s)) }

func closeFrame(code CloseCode, reason string) []byte {
	return clientFrame(true, OpClose, append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...))
}
