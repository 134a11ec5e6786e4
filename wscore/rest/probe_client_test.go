package rest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/mormotvectors"
	"github.com/hermod-io/hermod/wscore"
)

// clientProbe is what a server sent to a client of the reference, and what that
// answered.
type clientProbe struct {
	Name     string
	SentHex  []string `json:"sent_hex"`
	Received []recorded
}

// answerProbes tell how the call info/afterjumbo ends: as it did there. "404" is
// a call that gets no answer, or none that can be read.
var answerProbes = map[string]string{
	"rest-json":               `200 "" text/plain ok`,
	"rest-json-spaces":        `200 "X-A: 1" application/json { "a" : 1 }`, // without the blank that the reference leaves behind it
	"rest-json-string-status": `201 "" application/json null`,
	"rest-json-short":         "404",
	"rest-json-binary-op":     "404",
	"rest-json-wrong-head":    "404",
	"rest-bin":                `200 "" text/plain ok`,
	"rest-bin-wrong-seq":      "404",
	"rest-bin-late":           `200 "" text/plain ok`,
}

// callbackProbes tell what the client sends: what it did there, but where that was
// a fault.
var callbackProbes = map[string][]string{
	"cb-json-immediate": {`{"answer":[200,"X-Client: peer","",{"got":"callback/one","len":2}]}`}, // an access violation there
	"cb-json":           nil,
	"cb-json-noanswer":  nil,
	"cb-bin-immediate":  {"a000001\x01\x03200\x0eX-Client: peer\x00{\"got\":\"callback/one\",\"len\":0}"}, // so here
	"cb-bin":            nil,
	"cb-bin-noanswer":   nil,
	"cb-bin-jumbo":      nil,
	"cb-bin-truncated":  {"a000001\x01\x03400\x00\x00"}, // nothing there: the server waited in vain
}

func TestProbesOfClients(t *testing.T) {
	var f struct{ Probes []clientProbe }
	mormotvectors.Load(t, "probe-client", &f)
	n := 0
	for _, p := range f.Probes {
		s := &scenario{}
		s.Server.Protocol = "synopsejson"
		if strings.Contains(p.Name, "-bin") && !strings.Contains(p.Name, "json") {
			s.Server.Protocol = "synopsebin"
		}
		if want, ok := answerProbes[p.Name]; ok {
			n++
			t.Run(p.Name, func(t *testing.T) { p.ask(t, s, want) })
		} else if want, ok := callbackProbes[p.Name]; ok {
			n++
			t.Run(p.Name, func(t *testing.T) { p.callBack(t, s, want) })
		}
	}
	if n != len(answerProbes)+len(callbackProbes) {
		t.Errorf("%d probes", n)
	}
}

// play sends the recorded frames of the server, but the close frame.
func (p *clientProbe) play(t *testing.T, sc *script) {
	t.Helper()
	for _, chunk := range p.SentHex {
		b := mormotvectors.Hex(t, chunk)
		if b[0] == 0x88 {
			continue
		}
		if err := sc.p.Send(wscore.Opcode(b[0]&15), b[2:2+int(b[1])]); err != nil {
			t.Fatal(err)
		}
	}
}

// ask makes the recorded calls, and sees how the last one ends.
func (p *clientProbe) ask(t *testing.T, s *scenario, want string) {
	peer, sc := scripted(t, s, Options{})
	for i, url := range []string{"info/noanswer", "info/async?i=1", "info/async?i=2", "info/async?i=3", "info/async?i=4"} {
		req := Request{URL: url, Header: "Sec-WebSocket-REST: NonBlocking", ContentType: "text/plain; charset=UTF-8", Content: []byte("queued")}
		mode := NonBlocking
		if i == 0 {
			req.Header, req.Content, mode = "Sec-WebSocket-REST: WithoutAnswer", []byte("one way"), BlockWithoutAnswer
		}
		if _, err := peer.Notify(t.Context(), req, mode); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ended := make(chan string, 1)
	go func() {
		a, err := peer.Call(ctx, Request{Method: "GET", URL: "info/afterjumbo"})
		var ce *CallError
		if errors.As(err, &ce) {
			ended <- fmt.Sprint(ce.Status)
		} else {
			ended <- fmt.Sprintf("%d %q %s %s", a.Status, a.Header, a.ContentType, a.Content)
		}
	}()
	for _, r := range p.Received {
		if r.Opcode == 8 {
			continue
		}
		if got := sc.next(t); got != string(mormotvectors.Hex(t, r.PayloadHex)) {
			t.Errorf("sent %q, want %q", got, mormotvectors.Hex(t, r.PayloadHex))
		}
	}
	p.play(t, sc)
	if want == "404" {
		settled(t, peer, sc)
		cancel()
	}
	if got := <-ended; got != want {
		t.Errorf("the call ended in %s, want %s", got, want)
	}
}

// next is the next frame of the client.
func (s *script) next(t *testing.T) string {
	t.Helper()
	select {
	case b := <-s.got:
		return string(b)
	case <-time.After(patience):
		t.Fatal("nothing was sent")
		return ""
	}
}

// settled waits until the client has handled all it was sent, and returns what it
// sent meanwhile.
func settled(t *testing.T, peer *Peer, sc *script) (sent []string) {
	t.Helper()
	op := wscore.OpBinary
	if _, ok := peer.format.(jsonFormat); ok {
		op = wscore.OpText
	}
	if err := sc.p.Send(op, peer.format.append(nil, (&Request{URL: "sync"}).message("rend"), 4)); err != nil {
		t.Fatal(err)
	}
	for {
		got := sc.next(t)
		if strings.Contains(got, "aend") {
			return sent
		}
		sent = append(sent, got)
	}
}

// callBack sees how the client answers.
func (p *clientProbe) callBack(t *testing.T, s *scenario, want []string) {
	if want == nil {
		for _, r := range p.Received {
			if r.Opcode != 8 {
				want = append(want, string(mormotvectors.Hex(t, r.PayloadHex)))
			}
		}
	}
	peer, sc := scripted(t, s, Options{Handler: recordedClient(s)})
	p.play(t, sc)
	var got []string
	for range want {
		got = append(got, sc.next(t))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
	if more := settled(t, peer, sc); len(more) > 0 {
		t.Errorf("sent also %q", more)
	}
}
