package engineio

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/engineio/packet"
)

// A broadcast was compressed anew for each client over long-polling that waited for
// it.
func TestBroadcastIsCompressedOnce(t *testing.T) {
	srv, err := New(Config{}, &recorder{})
	if err != nil {
		t.Fatal(err)
	}
	p := NewPrepared(Message{Data: bytes.Repeat([]byte("a"), 2000)}, Message{Binary: true, Data: []byte{1}})
	alone, pong := []unit{{prepared: p}}, unit{pkts: []packet.Packet{{Type: packet.Pong}}}
	answer := func(d dialect, accept string, units []unit) ([]byte, string) {
		s := &Session{srv: srv, dialect: d}
		body, _ := d.payload(nil, units)
		h := http.Header{}
		body = s.compress(h, &http.Request{Header: http.Header{"Accept-Encoding": {accept}}}, body, units)
		if got := h.Get("Content-Encoding"); got != accept || len(body) != 1 {
			t.Fatalf("%T: encoding %q, want %q, in %d pieces", d, got, accept, len(body))
		}
		return body[0], inflate(t, accept, string(body[0]))
	}
	share := func(a, b []byte) bool { return &a[0] == &b[0] }
	seen := map[*byte]string{}
	for name, d := range map[string]dialect{"4": dialect4{}, "3": dialect3{}, "3, text": dialect3{base64: true}} {
		for _, accept := range []string{"gzip", "deflate"} {
			plain, _ := d.payload(nil, alone)
			one, text := answer(d, accept, alone)
			if other, _ := answer(d, accept, alone); text != string(plain[0]) || !share(one, other) {
				t.Errorf("%s %s: %.40q, shared: %t", name, accept, text, share(one, other))
			}
			if with := seen[&one[0]]; with != "" {
				t.Errorf("%s %s is that of %s", name, accept, with)
			}
			seen[&one[0]] = name + " " + accept
			if body, text := answer(d, accept, append([]unit{pong}, alone...)); share(body, one) || !strings.HasSuffix(text, string(plain[0])) {
				t.Errorf("%s %s: behind a pong it is %.40q", name, accept, text)
			}
			script, text := answer(newJSONP(d, "0"), accept, alone)
			if share(script, one) || !strings.HasPrefix(text, "___eio[0](") {
				t.Errorf("%s %s: as a script it is %.40q", name, accept, text)
			}
		}
	}
	if err := srv.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
