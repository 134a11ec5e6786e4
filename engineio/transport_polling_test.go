package engineio

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hermod-io/hermod/internal/bufpool"
	"github.com/hermod-io/hermod/internal/testnet"
)

// stall sends a GET and reads nothing of the answer.
func (p *poller) stall() *testnet.Conn {
	p.w.t.Helper()
	nc, err := p.w.l.Dial()
	if err != nil {
		p.w.t.Fatal(err)
	}
	if _, err := io.WriteString(nc, "GET /engine.io/?"+p.query()+" HTTP/1.1\r\nHost: here.example\r\n\r\n"); err != nil {
		p.w.t.Fatal(err)
	}
	p.w.pass(0)
	return nc
}

// answer reads one answer from nc.
func (w *world) answer(nc net.Conn) {
	w.t.Helper()
	_ = nc.SetReadDeadline(time.Now().Add(10 * time.Minute))
	res, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil || res.StatusCode != http.StatusOK {
		w.t.Fatalf("%+v, %v", res, err)
	}
	if n, err := io.Copy(io.Discard, res.Body); err != nil || n != res.ContentLength {
		w.t.Fatalf("%d bytes of %d, %v", n, res.ContentLength, err)
	}
}

// A client that asked again and again, and read no answer, once had a queue full
// of messages held for each of its requests.
func TestOneAnswerAtATime(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		p := w.poller()
		s := w.h.session(0)
		big := bytes.Repeat([]byte("x"), 1<<20)
		_ = s.Send(0, Message{Data: big})
		first := p.stall()
		_ = s.Send(0, Message{Data: []byte("next")})
		second := p.begin()
		second.wantWaiting("the first answer is not through")
		if n, _ := s.Buffered(); n != 4 || s.Writable() {
			t.Errorf("%d bytes wait, writable %v", n, s.Writable())
		}
		w.answer(first)
		if got := second.wait(); got.body != "4next" {
			t.Errorf("behind it: %+v", got)
		}
		_ = first.Close()
	})
}

func TestThirdGET(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		p := w.poller()
		_ = w.h.session(0).Send(0, Message{Data: bytes.Repeat([]byte("x"), 1<<20)})
		stalled := p.stall()
		second := p.begin()
		if res := w.request("GET", p.query(), ""); res.status != http.StatusBadRequest {
			t.Errorf("the third: %+v", res)
		}
		w.want("they overlap", "open", "close: transport error")
		if res := second.wait(); res.body != "1" { // when the stalled one has been cut
			t.Errorf("the second: %+v", res)
		}
		_ = stalled.Close()
	})
}

// The answer to a client that has stopped reading once outlived its session, for
// as long as the connection stood.
func TestStalledAnswerEndsWithTheSession(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		returned := make(chan time.Time, 1)
		w.srv.Use(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(rw, r)
				if strings.Contains(r.URL.RawQuery, "sid") {
					returned <- time.Now()
				}
			})
		})
		p := w.poller()
		s := w.h.session(0)
		_ = s.Send(0, Message{Data: bytes.Repeat([]byte("x"), 1<<20)})
		stalled := p.stall()
		s.Close(true)
		closed := time.Now()
		w.want("it ends at once", "open", "close: forced close")
		if d := (<-returned).Sub(closed); d > lastAnswer {
			t.Errorf("the answer ends after %v", d)
		}
		_ = stalled.Close()
	})
}

// An answer that is through before that time leaves its connection as it was.
func TestAnswerBehindTheSession(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		p := w.poller()
		s := w.h.session(0)
		_ = s.Send(0, Message{Data: bytes.Repeat([]byte("x"), 1<<20)})
		nc := p.stall()
		s.Close(true)
		w.pass(time.Second)
		w.answer(nc)
		w.pass(time.Minute)
		if _, err := io.WriteString(nc, "GET /engine.io/?"+pollingQuery+" HTTP/1.1\r\nHost: here.example\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		w.answer(nc)
		_ = nc.Close()
	})
}

// A POST that found its session when it was still there does not wait for a body
// that never comes.
func TestPOSTBehindTheEnd(t *testing.T) {
	var w *world
	cfg := Config{OnHeaders: func(_ http.Header, r *http.Request) {
		if r.Method == http.MethodPost {
			w.h.session(0).Close(true)
		}
	}}
	scenario(t, cfg, func(world *world) {
		w = world
		p := w.poller()
		got := w.raw("POST /engine.io/?" + p.query() + " HTTP/1.1\r\nHost: here.example\r\nConnection: close\r\nContent-Length: 10\r\n\r\n4")
		if !strings.HasPrefix(got, "HTTP/1.1 400 ") {
			t.Errorf("%q", got)
		}
	})
}

// drip is a body that comes in pieces, and notes whether there was ever room for
// more than 4 KB and for more than four times of what had come.
type drip struct {
	rest []byte
	end  error
	come int
	much bool
}

func (d *drip) Read(p []byte) (int, error) {
	if len(d.rest) == 0 {
		return 0, d.end
	}
	d.much = d.much || len(p) > max(bufpool.Small, 4*d.come)
	n := copy(p[:min(len(p), 1+d.come/2)], d.rest)
	d.come, d.rest = d.come+n, d.rest[n:]
	return n, nil
}

func (d *drip) Close() error { return nil }

// A client that only announced a long body was lent 64 KB.
func TestBodyIsLentWhatHasCome(t *testing.T) {
	s := &Session{srv: &Server{cfg: Config{MaxHTTPBufferSize: 200_000}}}
	read := func(d *drip, announced int64) ([]byte, error) {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Body, r.ContentLength = d, announced
		body, lent, err := s.readBody(httptest.NewRecorder(), r)
		defer bufpool.Put(lent)
		return bytes.Clone(body), err
	}
	text := make([]byte, 200_000)
	for i := range text {
		text[i] = byte(rand.Uint32())
	}
	for _, n := range []int{0, 1, 511, 512, 513, 3583, 3584, 3585, 4095, 4096, 4097, 15_871, 15_873, 16_384, 16_385, 60_000, 65_023, 65_024, 65_025, 65_536, 65_537, 200_000} {
		for _, announced := range []int64{int64(n), -1} {
			d := &drip{rest: text[:n], end: io.EOF}
			if got, err := read(d, announced); err != nil || !bytes.Equal(got, text[:n]) {
				t.Errorf("%d bytes, %d announced: %d came, %v", n, announced, len(got), err)
			}
			if d.much {
				t.Errorf("%d bytes, %d announced: much was lent before it had come", n, announced)
			}
			d = &drip{rest: text[:n], end: iotest.ErrTimeout}
			if _, err := read(d, announced); !errors.Is(err, iotest.ErrTimeout) {
				t.Errorf("%d bytes that break off, %d announced: %v", n, announced, err)
			}
		}
	}
	var tooBig *http.MaxBytesError
	if _, err := read(&drip{rest: append(text, 'x'), end: io.EOF}, -1); !errors.As(err, &tooBig) {
		t.Errorf("a byte too much: %v", err)
	}
}
