package rest

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/hermod-io/hermod/wscore"
)

// script is a protocol that hands on what it receives, as it came.
type script struct {
	p   *wscore.Process
	got chan []byte
}

func (s *script) OnMessage(_ wscore.Opcode, data []byte) { s.got <- bytes.Clone(data) }
func (s *script) OnClose(error)                          { close(s.got) }

// scripted is a server whose side of the conversation the test speaks, and the
// client's peer.
func scripted(t *testing.T, s *scenario, o Options) (*Peer, *script) {
	t.Helper()
	scripts := make(chan *script, 1)
	spec := wscore.ProtocolSpec{Names: []string{s.Server.Protocol}, New: func(p *wscore.Process) wscore.Protocol {
		sc := &script{p, make(chan []byte, 1000)}
		scripts <- sc
		return sc
	}}
	hs, _ := testServer(t, []wscore.ProtocolSpec{spec}, wscore.ProcessSettings{}, nil)
	c := wscore.NewClient(hs.URL+"/"+s.Server.URI, specOf(s.Server.Protocol, o), wscore.ClientSettings{NoReconnect: true, ProcessSettings: wscore.ProcessSettings{
		Conn: wscore.Settings{MaxMessage: 4 << 20, Queue: wscore.Queue{Bytes: 8 << 20}}, SendDelay: time.Hour}})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p, err := c.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	peer, _ := PeerOf(p)
	return peer, <-scripts
}

// replay is a client that does what the recorded one did.
type replay struct {
	t     *testing.T
	s     *scenario
	o     *Options
	peer  *Peer
	sc    *script
	calls chan *called
	n     int // calls that have begun
}

// called is how a call ended.
type called struct {
	a   *Answer
	err error
}

// What recorded servers sent, byte for byte, is understood; what we ask and
// answer is what the recorded client sent.
func TestCaptureAsClient(t *testing.T) {
	eachScenario(t, func(t *testing.T, s *scenario) {
		o := s.options(t)
		o.Handler = recordedClient(s)
		peer, sc := scripted(t, s, o)
		r := &replay{t, s, &o, peer, sc, make(chan *called, 1), 0}
		for _, f := range s.Frames {
			if f.Opcode == 8 {
				break
			}
			plain := s.plain(t, &f)
			if f.Dir == "c2s" {
				r.ask(&f, plain)
			} else {
				r.answer(&f, plain)
			}
		}
	})
}

// ask makes the client send a recorded frame, if it is not an answer, and
// compares.
func (r *replay) ask(f *recorded, plain []byte) {
	r.t.Helper()
	later := false
	each := func(_, _ int, b []byte) {
		m, err := r.s.format().parse(b)
		if err != nil {
			m.values, m.content = [4]string{"", "echo", "", "0"}, []byte("no content type")
		}
		if !isRequest(m.head) {
			return
		}
		req := *m.request()
		if req.NoAnswer {
			later = true
			if _, err := r.peer.Notify(r.t.Context(), req, NonBlocking); err != nil {
				r.t.Fatal(err)
			}
			return
		}
		go func() {
			a, err := r.peer.Call(r.t.Context(), req)
			r.calls <- &called{a, err}
		}()
	}
	if jumbo, _ := splitJumbo(plain, each); !jumbo {
		each(0, 1, plain)
	}
	if later {
		if err := r.peer.Process().Flush(); err != nil {
			r.t.Fatal(err)
		}
	}
	r.received(f, plain)
}

// strictRequests are those of ours that differ from the recorded ones.
var strictRequests = map[string]string{
	// the reference copies what is no JSON into its frame; we send it as text
	`{"request":["","echo","",0,"",no content type]}`: `{"request":["","echo","",0,"text/plain","no content type"]}`,
}

func (r *replay) received(f *recorded, plain []byte) {
	r.t.Helper()
	var wire []byte
	select {
	case wire = <-r.sc.got:
	case <-time.After(patience):
		r.t.Fatalf("frame %d: nothing was sent", f.I)
	}
	if strict, ok := strictRequests[string(plain)]; ok {
		plain = []byte(strict)
	} else if len(wire) != f.Len {
		r.t.Errorf("frame %d: %d bytes, want %d", f.I, len(wire), f.Len)
	}
	if got := unwrap(r.t, r.o, wire); !bytes.Equal(got, plain) {
		r.t.Errorf("frame %d: got %.200q, want %.200q", f.I, got, plain)
	}
}

// answer sends a recorded frame of the server; if it is an answer a call ends
// with it.
func (r *replay) answer(f *recorded, plain []byte) {
	r.t.Helper()
	op := wscore.OpBinary
	if f.Opcode == 1 {
		op = wscore.OpText
	}
	if err := r.sc.p.Send(op, r.s.wire(r.t, r.o, f)); err != nil {
		r.t.Fatal(err)
	}
	m, err := r.s.format().parse(plain)
	if err == nil && m.head[0] != 'a' || bytes.HasPrefix(plain, []byte(jumboHead)) {
		return
	}
	select {
	case got := <-r.calls:
		r.compare(f, &m, err, got)
	case <-time.After(patience):
		r.t.Fatalf("frame %d: the call does not end", f.I)
	}
}

func (r *replay) compare(f *recorded, m *message, bad error, got *called) {
	r.t.Helper()
	var ce *CallError
	if bad != nil {
		if !errors.As(got.err, &ce) || ce.Status != http.StatusNotFound || !errors.Is(ce, ErrBadAnswer) {
			r.t.Errorf("frame %d: a bad answer gives %v", f.I, got.err)
		}
		return
	}
	want, err := m.answer()
	if err != nil || got.err != nil {
		r.t.Fatal(f.I, err, got.err)
	}
	if got.a.Status != want.Status || got.a.Header != want.Header || got.a.ContentType != want.ContentType || !bytes.Equal(got.a.Content, want.Content) {
		r.t.Errorf("frame %d: got %+v, want %+v", f.I, got.a, want)
	}
}
