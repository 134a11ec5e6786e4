package rest

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/rest/synlz"
)

// Numbers begin at 1, have 24 bits, and leave out those that are still awaited.
func TestNumbersWrap(t *testing.T) {
	r := &Peer{calls: map[uint32]chan reply{1: nil, 2: make(chan reply), 3: make(chan reply)}}
	for _, want := range []uint32{1, 4, 5} {
		if got := r.number(); got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
	r.last = maxSequence - 1
	for _, want := range []uint32{maxSequence, 1, 4} {
		if got := r.number(); got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
	if head := sequenced('r', maxSequence); head != "rffffff" {
		t.Error(head)
	}
}

// The name that was agreed on says whether calls are numbered, in whatever case it
// is written.
func TestSequencedByName(t *testing.T) {
	for name, want := range map[string]bool{"synopsebin": true, "SynopseBin": true, "synopsebinary": false, "SynopseBinary": false} {
		inBubble(t, wscore.ProcessSettings{}, []wscore.ProtocolSpec{Binary(Options{})}, func(t *testing.T, w *world) {
			spec := Binary(Options{})
			spec.Names = []string{name}
			c, client, server := w.connect(spec, wscore.ClientSettings{})
			if client.sequenced != want || server.sequenced != want {
				t.Errorf("%s: %v %v", name, client.sequenced, server.sequenced)
			}
			w.end(c)
		})
	}
}

// Only binary messages are joined, only up to a size that the other side takes,
// and one alone stays as it is.
func TestGather(t *testing.T) {
	bin := func(n int) wscore.Message {
		return wscore.Message{Op: wscore.OpBinary, Data: bytes.Repeat([]byte("x"), n)}
	}
	text := wscore.Message{Op: wscore.OpText, Data: []byte("text")}
	r := &Peer{format: binaryFormat{}}
	got := r.Gather([]wscore.Message{bin(1), bin(2), text, bin(3), bin(maxJumbo + 1), bin(maxJumbo - 10), bin(10), bin(1)})
	var sizes []int
	for _, m := range got {
		n := 1
		if ok, err := splitJumbo(m.Data, func(_, count int, _ []byte) { n = count }); ok && err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, n)
	}
	if want := []int{2, 1, 1, 1, 2, 1}; !slices.Equal(sizes, want) {
		t.Errorf("frames of %v, want %v", sizes, want)
	}
	if msgs := []wscore.Message{text, text}; len((&Peer{format: jsonFormat{}}).Gather(msgs)) != 2 {
		t.Error("text was joined")
	}
}

// A handler's context ends when it has returned, and tells the peer and the
// request as it came.
func TestHandlerContext(t *testing.T) {
	var seen context.Context
	var remote chan string
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen = r.Context(); remote <- r.RemoteAddr })
	inBubble(t, wscore.ProcessSettings{}, []wscore.ProtocolSpec{Binary(Options{Handler: h})}, func(t *testing.T, w *world) {
		remote = make(chan string, 1)
		c, client, server := w.connect(Binary(Options{}), wscore.ClientSettings{})
		if _, err := client.Notify(t.Context(), Request{Method: "PUT", URL: "/a%2fb?é", Header: "x-a: 1\r\nX-A: 2"}, BlockWithoutAnswer); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !errors.Is(context.Cause(seen), context.Canceled) {
			t.Errorf("the context: %v", context.Cause(seen))
		}
		if p, ok := PeerFromContext(seen); !ok || p != server || p.Process() != server.Process() {
			t.Error("another peer")
		}
		if r, ok := RequestFromContext(seen); !ok || r.Method != "PUT" || r.URL != "/a%2fb?é" || r.Header != "x-a: 1\r\nX-A: 2" || !r.NoAnswer {
			t.Errorf("got %+v", r)
		}
		if addr := <-remote; addr != server.Process().Conn().RemoteAddr().String() {
			t.Errorf("remote address %s", addr)
		}
		if _, ok := PeerFromContext(t.Context()); ok {
			t.Error("a peer of no connection")
		}
		if _, ok := RequestFromContext(t.Context()); ok {
			t.Error("a request of no connection")
		}
		w.end(c)
	})
}

// What the send queue does not take fails the call at once.
func TestCallThatCannotBeSent(t *testing.T) {
	var stall chan struct{}
	s := wscore.ProcessSettings{BeforeMessage: func(*wscore.Process, wscore.Opcode, []byte) bool { <-stall; return true }}
	inBubble(t, s, []wscore.ProtocolSpec{Binary(Options{})}, func(t *testing.T, w *world) {
		stall = make(chan struct{})
		small := wscore.ProcessSettings{Conn: wscore.Settings{Queue: wscore.Queue{Bytes: 1000}}}
		c, client, _ := w.connect(Binary(Options{}), wscore.ClientSettings{ProcessSettings: small, NoReconnect: true})
		req := Request{Content: make([]byte, 64<<10)}
		var err error
		for range 1000 {
			if _, err = client.Notify(t.Context(), req, BlockWithoutAnswer); err != nil {
				break
			}
		}
		wantStatus(t, err, 404, wscore.ErrQueueFull)
		begin := time.Now()
		_, err = client.Call(t.Context(), req)
		// The connection is being closed: the call meets a full queue, or its end.
		var failed *CallError
		if !errors.As(err, &failed) || failed.Status != 404 && failed.Status != StatusReconnect || !errors.Is(err, wscore.ErrQueueFull) {
			t.Errorf("got %v, want 404 or %d and %v", err, StatusReconnect, wscore.ErrQueueFull)
		}
		if d := time.Since(begin); d > 0 || len(client.calls) > 0 {
			t.Errorf("after %v, %d calls wait", d, len(client.calls))
		}
		_ = client.Process().CloseNow()
		close(stall)
		w.end(c)
	})
}

// Where answers carry no number none may be lost: who does not read them is cut off.
func TestAnswersThatAreNotRead(t *testing.T) {
	var stall chan struct{}
	long := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(make([]byte, 64<<10)) })
	s := wscore.ProcessSettings{Conn: wscore.Settings{Queue: wscore.Queue{Bytes: 1000, OnFull: wscore.DropNewest}}}
	inBubble(t, s, []wscore.ProtocolSpec{legacy(Options{Handler: long})}, func(t *testing.T, w *world) {
		stall = make(chan struct{})
		slow := wscore.ProcessSettings{BeforeMessage: func(*wscore.Process, wscore.Opcode, []byte) bool { <-stall; return true }}
		c, client, server := w.connect(legacy(Options{}), wscore.ClientSettings{ProcessSettings: slow, NoReconnect: true})
		frame := binaryFormat{}.append(nil, (&Request{}).message("request"), 4)
		for range 200 {
			_ = client.Process().Send(wscore.OpBinary, frame)
		}
		synctest.Wait()
		if !errors.Is(server.Process().LastError(), wscore.ErrQueueFull) || server.Process().State() == wscore.StateRun {
			t.Errorf("%v, state %v", server.Process().LastError(), server.Process().State())
		}
		_ = client.Process().CloseNow()
		close(stall)
		w.end(c)
	})
}

// A short frame that stands for more than a message may hold ends the connection
// before its bytes are there.
func TestCompressedFrameIsBounded(t *testing.T) {
	s := wscore.ProcessSettings{Conn: wscore.Settings{MaxMessage: 10_000}}
	inBubble(t, s, []wscore.ProtocolSpec{Binary(Options{SynLZ: true})}, func(t *testing.T, w *world) {
		c, client, server := w.connect(Binary(Options{SynLZ: true}), wscore.ClientSettings{NoReconnect: true})
		if a, err := client.Call(t.Context(), Request{Content: make([]byte, 9900)}); err != nil || a.Status != 404 {
			t.Errorf("one that fits: %v, %v", a, err)
		}
		_, err := client.Call(t.Context(), Request{Content: make([]byte, 10_000)})
		wantStatus(t, err, 404, net.ErrClosed)
		var fault *synlz.Error
		if err := server.Process().LastError(); !errors.As(err, &fault) || fault.Code != synlz.TooLarge {
			t.Errorf("the server: %v", err)
		}
		w.end(c)
	})
}

// Requests and answers that cannot be read are counted, and hurt nobody.
func TestBadFramesAreCounted(t *testing.T) {
	inBubble(t, wscore.ProcessSettings{}, []wscore.ProtocolSpec{Binary(Options{})}, func(t *testing.T, w *world) {
		c, client, server := w.connect(Binary(Options{}), wscore.ClientSettings{})
		for _, frame := range []string{"r000001\x01\x7f", "a000001\x01", "nonsense", "", jumboHead, jumboHead + "\x05\x01"} {
			if err := client.Process().Send(wscore.OpBinary, []byte(frame)); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.Process().Send(wscore.OpText, []byte(`{"request":["","u","",0,"",""]}`)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s := server.Stats(); s.BadFrames != 7 || server.Process().LastError() == nil {
			t.Errorf("%+v, %v", s, server.Process().LastError())
		}
		if s := client.Stats(); s.LateAnswers != 1 { // the 400 for the first
			t.Errorf("%+v", s)
		}
		if a, err := client.Call(t.Context(), Request{}); err != nil || a.Status != 404 {
			t.Errorf("then: %v, %v", a, err)
		}
		w.end(c)
	})
}

func benchmarkPeers(b testing.TB, spec func(Options) wscore.ProtocolSpec) *Peer {
	b.Helper()
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("hello")) })
	list := new(wscore.ProtocolList)
	list.Add(spec(Options{Handler: hello}))
	h := wscore.NewHandler(list, wscore.ProcessSettings{})
	hs := httptest.NewServer(h)
	c := wscore.NewClient(hs.URL, spec(Options{}), wscore.ClientSettings{NoReconnect: true})
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_, _ = c.Close(ctx), h.Shutdown(ctx)
		hs.Close()
	})
	p, err := c.Connect(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	r, _ := PeerOf(p)
	return r
}

// BenchmarkCall is one call and its answer, both sides in this process.
func BenchmarkCall(b *testing.B) {
	for name, spec := range map[string]func(Options) wscore.ProtocolSpec{"synopsejson": JSON, "synopsebin": Binary} {
		b.Run(name, func(b *testing.B) {
			r := benchmarkPeers(b, spec)
			req := Request{Method: "GET", URL: "some/thing?id=1", Header: "X-A: 1"}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Call(b.Context(), req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
