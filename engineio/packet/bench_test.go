package packet

import (
	"bytes"
	"testing"
)

func benchPayload() []Packet {
	return []Packet{
		text(Message, `2["message","a text of sixty-four bytes or so, as chat messages are"]`),
		text(Ping, ""),
		{Type: Message, Binary: true, Data: bytes.Repeat([]byte{0, 1, 2, 0xff}, 256)},
		text(Message, `2["typing"]`),
	}
}

func BenchmarkAppendPayload(b *testing.B) {
	b.ReportAllocs()
	pkts := benchPayload()
	b.SetBytes(int64(payloadSize(pkts...)))
	buf := make([]byte, 0, payloadSize(pkts...))
	for b.Loop() {
		AppendPayload(buf, pkts...)
	}
}

func BenchmarkReadPayload(b *testing.B) {
	b.ReportAllocs()
	payload := AppendPayload(nil, benchPayload()...)
	work := make([]byte, len(payload))
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		copy(work, payload)
		r := NewPayloadReader(work)
		for r.Next() {
		}
		if r.Err() != nil {
			b.Fatal(r.Err())
		}
	}
}

func BenchmarkDecodeText(b *testing.B) {
	b.ReportAllocs()
	msg := []byte(`42["message","a text"]`)
	for b.Loop() {
		if _, err := DecodeText(msg); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHandshake(b *testing.B) {
	b.ReportAllocs()
	h := Handshake{SID: "lv_VI97HAXpY6yYWAAAB", Upgrades: []string{"websocket"}, PingInterval: 25000, PingTimeout: 20000, MaxPayload: 1e6}
	buf := make([]byte, 0, 256)
	for b.Loop() {
		h.AppendJSON(buf)
	}
}
