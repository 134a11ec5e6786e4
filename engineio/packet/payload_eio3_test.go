package packet

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hermod-io/hermod/internal/alloctest"
)

// readAllEIO3 reads a copy of a payload.
func readAllEIO3(payload []byte, binary bool) (got []Packet, err error) {
	r := NewTextReaderEIO3(bytes.Clone(payload))
	if binary {
		r = NewBinaryReaderEIO3(bytes.Clone(payload))
	}
	for r.Next() {
		got = append(got, r.Packet())
	}
	if r.Next() {
		return got, errors.New("a packet after the end")
	}
	return got, r.Err()
}

// What the official parser reads in another way: numbers as JavaScript reads
// them, lengths that end within a surrogate pair, and cut or unknown content of
// binary payloads. A peer that sends it is broken.
func TestPayloadEIO3Refuses(t *testing.T) {
	for _, c := range []struct {
		wire   string
		binary bool
		reason string
	}{
		{"2:4😀", false, "bad length"},
		{"3:4é😀", false, "bad length"},
		{"+2:4a", false, "bad length"},
		{" 2:4a", false, "bad length"},
		{"0x2:4a", false, "bad length"},
		{"2.0:4a", false, "bad length"},
		{"1:b", false, "empty packet"},
		{"2:b7", false, "unknown packet type"},
		{"3:", false, "truncated payload"},
		{"18446744073709551618:4a", false, "truncated payload"},
		{strings.Repeat("0", 310) + "2:4a", false, "bad length"},
		{"\x00\x03\xff4a", true, "truncated payload"},
		{"\x02\x02\xff4a", true, "unknown packet type"},
		{"\x00\x0a\xff4a", true, "bad length"},
		{"\x00\xff", true, "bad length"},
		{"\x00", true, "bad length"},
		{"\x01\x00\xff", true, "empty packet"},
		{"\x01\x01\xff\x07", true, "unknown packet type"},
		{"\x00\x02\xff4\xed", true, "text is not UTF-8"},
		{"\x00" + strings.Repeat("\x00", 310) + "\x02\xff4a", true, "bad length"},
		{"\x01" + strings.Repeat("\x09", 310) + "\xff4a", true, "truncated payload"},
	} {
		got, err := readAllEIO3([]byte(c.wire), c.binary)
		var e *Error
		if !errors.As(err, &e) || e.Reason != c.reason || len(got) != 0 {
			t.Errorf("%q: %v, %v; want %q", c.wire, got, err, c.reason)
		}
	}
}

// What came before a malformed packet was delivered.
func TestPayloadEIO3StopsAtFirstBadPacket(t *testing.T) {
	for _, c := range []struct {
		wire   string
		binary bool
	}{{"2:4a2:4b1:9", false}, {"\x00\x02\xff4a\x01\x02\xff\x04b\x01\x01\xff\x09", true}} {
		got, err := readAllEIO3([]byte(c.wire), c.binary)
		if len(got) != 2 || err == nil {
			t.Errorf("%q: %v, %v", c.wire, got, err)
		}
	}
}

// Of binary messages only those of the type message carry bytes.
func TestBinaryTypesEIO3(t *testing.T) {
	for _, c := range []struct {
		msg  string
		want Packet
	}{{"\x04\x01", blob("\x01")}, {"\x02probe", text(Ping, "probe")}, {"\x05", text(Upgrade, "")}} {
		if got, err := DecodeBinaryEIO3([]byte(c.msg)); err != nil || !equal(got, c.want) {
			t.Errorf("%q: %+v, %v", c.msg, got, err)
		}
	}
	for msg, want := range map[string]Packet{"b4AQ==": blob("\x01"), "b2": text(Ping, ""), "4x": text(Message, "x")} {
		if got, err := DecodeTextEIO3([]byte(msg)); err != nil || !equal(got, want) {
			t.Errorf("%q: %+v, %v", msg, got, err)
		}
	}
	for _, msg := range []string{"", "b", "b9", "x"} {
		if got, err := DecodeTextEIO3([]byte(msg)); err == nil {
			t.Errorf("%q: %+v", msg, got)
		}
	}
	if got, err := DecodeBinaryEIO3(nil); err == nil {
		t.Errorf("no bytes: %+v", got)
	}
}

func TestReaderEIO3Allocations(t *testing.T) {
	text := []byte("6:b4AQID2:4a")
	bin := []byte("\x00\x02\xff4a\x01\x02\xff\x04b")
	for name, f := range map[string]func(){
		"text": func() {
			copy(text, "6:b4AQID2:4a")
			for r := NewTextReaderEIO3(text); r.Next(); {
				_ = r.Packet()
			}
		},
		"binary": func() {
			for r := NewBinaryReaderEIO3(bin); r.Next(); {
				_ = r.Packet()
			}
		},
	} {
		if n := alloctest.PerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// FuzzPayloadEIO3: what a text payload is decoded to is encoded to the same,
// but for base64 and leading zeros; every proper prefix of a packet is an error.
func FuzzPayloadEIO3(f *testing.F) {
	seedEIO3(f, AppendTextEIO3)
	f.Add([]byte("0:2:4a"))
	f.Fuzz(func(t *testing.T, payload []byte) { fuzzEIO3(t, payload, false, AppendTextEIO3) })
}

// FuzzBinaryPayloadEIO3 is the same for binary payloads.
func FuzzBinaryPayloadEIO3(f *testing.F) {
	seedEIO3(f, AppendBinaryEIO3)
	f.Fuzz(func(t *testing.T, payload []byte) { fuzzEIO3(t, payload, true, AppendBinaryEIO3) })
}

func seedEIO3(f *testing.F, appendPacket func([]byte, Packet) []byte) {
	for i := range fuzzPackets {
		var b []byte
		for _, p := range fuzzPackets[i:] {
			b = appendPacket(b, p)
		}
		f.Add(b)
	}
}

func fuzzEIO3(t *testing.T, payload []byte, binary bool, appendPacket func([]byte, Packet) []byte) {
	got, err := readAllEIO3(payload, binary)
	var e *Error
	if err != nil && !errors.As(err, &e) {
		t.Fatalf("%q: %v", payload, err)
	}
	var out []byte
	var ends []int
	for _, p := range got {
		if !p.Type.Valid() || p.Binary && p.Type != Message {
			t.Fatalf("%q: decoded %+v", payload, p)
		}
		if !p.Binary && !utf8.Valid(p.Data) {
			return // it came as the bytes of a packet that has none, or in a body that was no text
		}
		ends = append(ends, len(out))
		out = appendPacket(out, p)
	}
	again, err := readAllEIO3(out, binary)
	if len(got) > 0 && (err != nil || !slices.EqualFunc(got, again, equal)) {
		t.Fatalf("%q: %v come back as %v, %v", payload, got, again, err)
	}
	for n := range min(len(out), 100) {
		if _, err := readAllEIO3(out[:n], binary); err == nil && n > 0 && !slices.Contains(ends, n) && (binary || utf8.Valid(out[:n])) {
			t.Fatalf("%q cut to %q is no error", out, out[:n])
		}
	}
}
