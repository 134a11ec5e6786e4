package packet

import (
	"bytes"
	"strings"
	"testing"
)

func text(t Type, s string) Packet { return Packet{Type: t, Data: []byte(s)} }

func blob(s string) Packet { return Packet{Type: Message, Binary: true, Data: []byte(s)} }

func readAll(payload string) (got []Packet, err error) {
	r := NewPayloadReader([]byte(payload))
	for r.Next() {
		got = append(got, r.Packet())
	}
	return got, r.Err()
}

func TestPayload(t *testing.T) {
	for _, c := range []struct {
		wire string
		pkts []Packet
	}{
		{"4", []Packet{text(Message, "")}},
		{"4a\x1e2\x1e4é", []Packet{text(Message, "a"), text(Ping, ""), text(Message, "é")}},
		{"4a\x1ebAQIDBA==\x1e4b", []Packet{text(Message, "a"), blob("\x01\x02\x03\x04"), text(Message, "b")}},
		{"b\x1eb/w==", []Packet{blob(""), blob("\xff")}},
		{"6\x1e1", []Packet{text(Noop, ""), text(Close, "")}},
	} {
		if got := AppendPayload(nil, c.pkts...); string(got) != c.wire || cap(got) > 2*len(got)+16 {
			t.Errorf("AppendPayload = %q, want %q", got, c.wire)
		}
		if n := payloadSize(c.pkts...); n != len(c.wire) {
			t.Errorf("payloadSize of %q = %d", c.wire, n)
		}
		got, err := readAll(c.wire)
		if err != nil || len(got) != len(c.pkts) {
			t.Fatalf("reading %q: %v, %v", c.wire, got, err)
		}
		for i := range got {
			if !equal(got[i], c.pkts[i]) {
				t.Errorf("packet %d of %q is %v, want %v", i, c.wire, got[i], c.pkts[i])
			}
		}
	}
}

// A session delivers what came before the malformed packet and nothing after it.
func TestPayloadStopsAtFirstBadPacket(t *testing.T) {
	for _, c := range []struct {
		wire   string
		before int
		reason string
	}{
		{"", 0, "empty payload"},
		{"\x1e", 0, "empty packet"},
		{"\x1e4a", 0, "empty packet"},
		{"4a\x1e", 1, "empty packet"},
		{"4a\x1e\x1e4b", 1, "empty packet"},
		{"4a\x1e4b\x1e9\x1e4c", 2, "unknown packet type"},
		{"abc", 0, "unknown packet type"},
		{"1:2", 1, ""},
	} {
		got, err := readAll(c.wire)
		reason := ""
		if err != nil {
			reason = err.(*Error).Reason
		}
		if len(got) != c.before || reason != c.reason {
			t.Errorf("%q: %d packets, reason %q; want %d, %q", c.wire, len(got), reason, c.before, c.reason)
		}
	}
}

func TestPayloadReaderStaysAtTheEnd(t *testing.T) {
	for _, wire := range []string{"4a", "4a\x1e9", ""} {
		r := NewPayloadReader([]byte(wire))
		for r.Next() {
		}
		err := r.Err()
		if r.Next() || r.Err() != err {
			t.Errorf("%q: Next after the end is true or changed the error", wire)
		}
	}
}

func TestBase64RoundTrip(t *testing.T) {
	data := []byte(strings.Repeat("\x00\xff\x7f\x80payload", 50))
	for n := range data {
		p := Packet{Type: Message, Binary: true, Data: data[:n]}
		got, err := readAll(string(AppendChunk(nil, p)))
		if err != nil || len(got) != 1 || !bytes.Equal(got[0].Data, data[:n]) {
			t.Fatalf("%d bytes come back as %v, %v", n, got, err)
		}
	}
}
