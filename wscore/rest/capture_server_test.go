package rest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/mormotvectors"
	"github.com/hermod-io/hermod/wscore"
)

const patience = 30 * time.Second // for anything in these tests

// rawPeer is a client that sends recorded bytes.
type rawPeer struct {
	t  *testing.T
	c  net.Conn
	in *bufio.Reader
}

// rawDial connects to hs and makes the upgrade as it is written. It returns the
// last response; there are as many as requests in the text.
func rawDial(t *testing.T, hs *httptest.Server, text string) (*rawPeer, *http.Response) {
	t.Helper()
	c, err := net.Dial("tcp", hs.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	p := &rawPeer{t, c, bufio.NewReader(c)}
	p.write([]byte(text))
	var resp *http.Response
	for range strings.Count(text, " HTTP/1.1\r\n") {
		if resp, err = http.ReadResponse(p.in, nil); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode == http.StatusOK {
			_, _ = io.Copy(io.Discard, resp.Body)
		}
	}
	return p, resp
}

func (p *rawPeer) write(b []byte) {
	p.t.Helper()
	if _, err := p.c.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

// send sends a frame with the header that was recorded.
func (p *rawPeer) send(header, key, payload []byte) {
	p.t.Helper()
	b := slices.Concat(header, payload)
	for i := range payload {
		b[len(header)+i] ^= key[i%4]
	}
	p.write(b)
}

// next reads a frame of the server.
func (p *rawPeer) next() (op byte, payload []byte) {
	p.t.Helper()
	op, payload, err := p.frame()
	if err != nil {
		p.t.Fatal(err)
	}
	return op, payload
}

func (p *rawPeer) frame() (op byte, payload []byte, err error) {
	var h [10]byte
	if _, err := io.ReadFull(p.in, h[:2]); err != nil {
		return 0, nil, err
	}
	n := uint64(h[1])
	if n >= 126 {
		size := 2 + 6*int(n-126)
		if _, err := io.ReadFull(p.in, h[2:2+size]); err != nil {
			return 0, nil, err
		}
		n = binary.BigEndian.Uint64(append(make([]byte, 8-size, 8), h[2:2+size]...))
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(p.in, payload)
	return h[0] & 15, payload, err
}

// testServer serves o on its URI, and a plain handler to those who do not upgrade.
func testServer(t *testing.T, specs []wscore.ProtocolSpec, s wscore.ProcessSettings, plain http.Handler) (*httptest.Server, *wscore.Handler) {
	t.Helper()
	list := new(wscore.ProtocolList)
	for _, spec := range specs {
		if !list.Add(spec) {
			t.Fatal("not added")
		}
	}
	s.Conn.MaxMessage = 4 << 20
	s.Conn.Queue.Bytes = 8 << 20
	s.SendDelay = time.Hour // what is gathered goes when it is flushed
	h := wscore.NewHandler(list, s)
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" && plain != nil {
			plain.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		hs.Close()
	})
	return hs, h
}

func specOf(protocol string, o Options) wscore.ProtocolSpec {
	if protocol == "synopsejson" {
		return JSON(o)
	}
	return Binary(o)
}

// strictAnswers are those of ours that differ from the recorded ones, with the
// reason.
var strictAnswers = map[string]string{
	// the reference copies what is no JSON into its frame and reads it back
	`{"answer":[200,"X-Echo: 1","",no content type]}`: `{"answer":[400,"","",""]}`,
}

// What recorded clients sent, byte for byte, gets the recorded answers, and the
// callbacks go out as they did.
func TestCaptureAsServer(t *testing.T) {
	eachScenario(t, func(t *testing.T, s *scenario) {
		s.notified(t)
		app := &recordedApp{s: s}
		o := s.options(t)
		o.Handler = app
		hs, h := testServer(t, []wscore.ProtocolSpec{specOf(s.Server.Protocol, o)}, wscore.ProcessSettings{}, app)
		p, resp := rawDial(t, hs, s.Handshake.Request)
		if want := recordedHeader(t, s.Handshake.Response); resp.StatusCode != 101 || resp.Header.Get("Sec-Websocket-Accept") != want.Get("Sec-Websocket-Accept") ||
			resp.Header.Get("Sec-Websocket-Protocol") != want.Get("Sec-Websocket-Protocol") {
			t.Fatalf("upgrade: %d %v, want %v", resp.StatusCode, resp.Header, want)
		}
		peer := onlyPeer(t, h)
		calls := make(chan error, len(s.Frames))
		waiting := 0
		for _, f := range s.Frames {
			if f.Dir == "c2s" {
				p.send(mormotvectors.Hex(t, f.HeaderHex), mormotvectors.Hex(t, f.MaskKey), s.wire(t, &o, &f))
				continue
			}
			plain := s.plain(t, &f)
			if f.Opcode != 8 {
				waiting += app.callBack(t, peer, &f, plain, calls)
			}
			s.checkAnswer(t, &o, &f, p, plain)
		}
		for range waiting {
			if err := <-calls; err != nil {
				t.Error(err)
			}
		}
		app.checkSeen(t)
	})
}

// onlyPeer is the one connection of h.
func onlyPeer(t *testing.T, h *wscore.Handler) *Peer {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(time.Millisecond) {
		for p := range h.Processes() {
			if r, ok := PeerOf(p); ok && p.State() == wscore.StateRun {
				return r
			}
		}
	}
	t.Fatal("no connection")
	return nil
}

func recordedHeader(t *testing.T, text string) http.Header {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text[strings.LastIndex(text, "HTTP/1."):])), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Header
}

// callBack makes the calls that a recorded frame of the server holds, and tells
// how many of them report to calls how they ended.
func (a *recordedApp) callBack(t *testing.T, peer *Peer, f *recorded, plain []byte, calls chan<- error) (waiting int) {
	t.Helper()
	var list []*Request
	note := func(_, _ int, b []byte) {
		if m, err := peer.format.parse(b); err == nil && isRequest(m.head) {
			list = append(list, m.request())
		}
	}
	if jumbo, _ := splitJumbo(plain, note); !jumbo {
		note(0, 1, plain)
	}
	for _, req := range list {
		a.mu.Lock()
		a.notified++
		want := a.s.lines[a.notified-1]
		a.mu.Unlock()
		if req.NoAnswer {
			if _, err := peer.Notify(t.Context(), *req, NonBlocking); err != nil {
				t.Fatal(err)
			}
			continue
		}
		waiting++
		go func() {
			got, err := peer.Call(t.Context(), *req)
			if err == nil && !a.s.logged(got, want) {
				t.Errorf("frame %d: called back, got %+v, want %s", f.I, got, want)
			}
			calls <- err
		}()
	}
	if waiting == 0 && len(list) > 0 {
		if err := peer.Process().Flush(); err != nil {
			t.Fatal(err)
		}
	}
	return waiting
}

// logged reports whether line is what the recorded application wrote of an answer.
func (s *scenario) logged(a *Answer, line []byte) bool {
	body := string(a.Content)
	if body == "" && s.Server.Protocol == "synopsejson" {
		body = `""` // as the reference's decoder has it
	}
	return bytes.Contains(line, fmt.Appendf(nil, `"status":%d,`, a.Status)) &&
		bytes.Contains(line, append([]byte(`"body":`), appendJSONString(nil, body)...))
}

func (s *scenario) checkAnswer(t *testing.T, o *Options, f *recorded, p *rawPeer, plain []byte) {
	t.Helper()
	op, got := p.next()
	if op != f.Opcode {
		t.Fatalf("frame %d: opcode %d, want %d; %q", f.I, op, f.Opcode, got)
	}
	if op == 8 {
		if len(got) != f.Len {
			t.Errorf("frame %d: close %q", f.I, got)
		}
		return
	}
	if strict, ok := strictAnswers[string(plain)]; ok {
		plain = []byte(strict)
	} else if o.WeakAES == nil || o.NoLocalEncrypt {
		mormotvectors.Check(t, "frame", got, f.PayloadHex, f.PayloadSHA)
	} else if len(got) != f.Len {
		t.Errorf("frame %d: %d bytes, want %d", f.I, len(got), f.Len)
	}
	if got = unwrap(t, o, got); !bytes.Equal(got, plain) {
		t.Errorf("frame %d: got %.200q, want %.200q", f.I, got, plain)
	}
}

// checkSeen compares the requests with those that the recorded application saw.
// Their order is that of sending where answers are awaited.
func (a *recordedApp) checkSeen(t *testing.T) {
	t.Helper()
	want := a.s.events()
	a.mu.Lock()
	defer a.mu.Unlock()
	for end := time.Now().Add(patience); len(a.seen) < len(want) && time.Now().Before(end); a.mu.Lock() {
		a.mu.Unlock()
		<-time.After(time.Millisecond)
	}
	order := func(x, y event) int {
		return strings.Compare(x.URL+x.Headers+x.BodySHA256, y.URL+y.Headers+y.BodySHA256)
	}
	slices.SortStableFunc(want, order)
	slices.SortStableFunc(a.seen, order)
	if !slices.Equal(want, a.seen) {
		t.Errorf("requests\n%+v\nwant\n%+v", a.seen, want)
	}
}
