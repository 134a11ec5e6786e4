package rest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/internal/mormotvectors"
	"github.com/hermod-io/hermod/wscore"
)

// refusedHere are the recorded refusals that concern REST; those of chat and of
// ephemeral URIs are tested with them.
var refusedHere = map[string]int{
	"refused-unknown-protocol": http.StatusBadRequest,
	"refused-wrong-uri":        http.StatusBadRequest,
	"refused-bearer":           http.StatusForbidden,
}

func TestCaptureRefused(t *testing.T) {
	specs := []wscore.ProtocolSpec{JSON(Options{}), Binary(Options{URI: "plain"}),
		Binary(Options{URI: "aes", WeakAES: weakCipher(t, "mORMot secret key", "", 0)}), Binary(Options{URI: "ecdhe"})}
	hs, h := testServer(t, specs, wscore.ProcessSettings{OnUpgrade: func(u *wscore.Upgrade) error {
		if u.BearerToken == "refuse" {
			return &wscore.HandshakeError{Status: http.StatusForbidden, Msg: "bearer"}
		}
		return nil
	}}, nil)
	n := 0
	for _, s := range append(scenarios(t, "capture-refused"), scenarios(t, "capture-synopsebin-ecdhe")...) {
		want, ok := refusedHere[s.Name]
		if strings.HasPrefix(s.Name, "ecdhe") {
			want, ok = http.StatusNotAcceptable, true // refused for good: its keys are used twice
		}
		if !ok {
			continue
		}
		n++
		t.Run(s.Name, func(t *testing.T) {
			if _, resp := rawDial(t, hs, s.Handshake.Request); resp.StatusCode != want {
				t.Errorf("got %s, want %d", resp.Status, want)
			}
		})
	}
	if n != 8 || h.Len() != 0 {
		t.Errorf("%d tests, %d connections", n, h.Len())
	}
}

// A frame under another key ends the connection; the reference gives no reason
// for that, we do.
func TestCaptureWrongKey(t *testing.T) {
	for _, s := range scenarios(t, "capture-refused") {
		if s.Name != "wrong-key" {
			continue
		}
		hs, h := testServer(t, []wscore.ProtocolSpec{Binary(Options{URI: "aes", WeakAES: weakCipher(t, "mORMot secret key", "", 0)})}, wscore.ProcessSettings{}, nil)
		p, resp := rawDial(t, hs, s.Handshake.Request)
		if resp.StatusCode != 101 {
			t.Fatal(resp.Status)
		}
		peer := onlyPeer(t, h)
		f := s.Frames[0]
		p.send(mormotvectors.Hex(t, f.HeaderHex), mormotvectors.Hex(t, f.MaskKey), mormotvectors.Hex(t, f.PayloadHex))
		if op, payload := p.next(); op != 8 || string(payload[:2]) != "\x03\xef" {
			t.Errorf("got %d %q, want a close frame of 1007", op, payload)
		}
		<-peer.Process().Done()
		return
	}
	t.Error("no such recording")
}
