//go:build !race

package packet

import (
	"testing"

	"github.com/hermod-io/hermod/internal/alloctest"
)

func TestAllocations(t *testing.T) {
	pkts := benchPayload()
	buf := make([]byte, 0, payloadSize(pkts...))
	h := Handshake{SID: "lv_VI97HAXpY6yYWAAAB", Upgrades: []string{"websocket"}}
	room := make([]byte, 0, 256)
	msg := []byte("4text")
	for _, c := range []struct {
		what  string
		limit float64
		f     func()
	}{
		{"append a payload to a buffer", 0, func() { AppendPayload(buf, pkts...) }},
		{"append a payload to nothing", 1, func() { AppendPayload(nil, pkts...) }},
		{"read a payload", 0, func() {
			r := NewPayloadReader(AppendPayload(buf, pkts...))
			for r.Next() {
			}
		}},
		{"decode a text frame", 0, func() { DecodeText(msg) }},
		{"decode a bad text frame", 0, func() { DecodeText(nil) }},
		{"append a frame", 0, func() { AppendFrame(room, pkts[0]) }},
		{"append a handshake", 0, func() { h.AppendJSON(room) }},
	} {
		if n := alloctest.PerRun(100, c.f); n > c.limit {
			t.Errorf("%s: %v allocations, want at most %v", c.what, n, c.limit)
		}
	}
}
