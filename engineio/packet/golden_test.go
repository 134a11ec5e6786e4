package packet

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// goldenPacket is a packet as testdata/gen.mjs writes it: data is a string, or
// an object with the hex digits of bytes.
type goldenPacket struct {
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

func (g *goldenPacket) packet(t *testing.T) Packet {
	t.Helper()
	for typ := Open; typ <= Noop; typ++ {
		if typ.String() != g.Type {
			continue
		}
		p := Packet{Type: typ}
		if len(g.Data) == 0 {
			return p
		}
		var s string
		if json.Unmarshal(g.Data, &s) == nil {
			p.Data = []byte(s)
			return p
		}
		var b struct{ Hex string }
		if err := json.Unmarshal(g.Data, &b); err != nil {
			t.Fatal(err)
		}
		p.Binary, p.Data = true, unhex(t, b.Hex)
		return p
	}
	t.Fatalf("unknown type %q", g.Type)
	return Packet{}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func goldenLines[T any](t *testing.T, name string) (lines []T) {
	t.Helper()
	content, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(content) {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, v)
	}
	return lines
}

func TestGoldenEncode(t *testing.T) {
	for _, g := range goldenLines[struct {
		Packets []goldenPacket
		Wire    string
	}](t, "encode.txt") {
		var pkts []Packet
		for i := range g.Packets {
			pkts = append(pkts, g.Packets[i].packet(t))
		}
		if got := AppendPayload(nil, pkts...); string(got) != g.Wire {
			t.Errorf("got %q, want %q", got, g.Wire)
		}
	}
}

func TestGoldenDecode(t *testing.T) {
	for _, g := range goldenLines[struct {
		Body    string
		Packets []goldenPacket
	}](t, "decode.txt") {
		got, err := readAll(g.Body)
		if last := len(g.Packets) - 1; g.Packets[last].Type == "error" {
			if err == nil {
				t.Errorf("%q: no error", g.Body)
			}
			g.Packets = g.Packets[:last]
		} else if err != nil {
			t.Errorf("%q: %v", g.Body, err)
		}
		if len(got) != len(g.Packets) {
			t.Errorf("%q: %d packets, want %d", g.Body, len(got), len(g.Packets))
			continue
		}
		for i := range got {
			if want := g.Packets[i].packet(t); !equal(got[i], want) {
				t.Errorf("%q: packet %d is %+v, want %+v", g.Body, i, got[i], want)
			}
		}
	}
}

func TestGoldenBase64(t *testing.T) {
	for _, g := range goldenLines[struct{ Text, Hex string }](t, "base64.txt") {
		want := unhex(t, g.Hex)
		if got := decodeBase64(nil, []byte(g.Text)); !bytes.Equal(got, want) {
			t.Errorf("%q decodes to %x, want %s", g.Text, got, g.Hex)
		}
		got, err := readAll("4x\x1eb" + g.Text + "\x1e4y")
		if err != nil || len(got) != 3 || !bytes.Equal(got[1].Data, want) || string(got[2].Data) != "y" {
			t.Errorf("in a payload %q decodes to %v, %v", g.Text, got, err)
		}
	}
}
