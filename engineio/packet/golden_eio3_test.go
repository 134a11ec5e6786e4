package packet

import (
	"bytes"
	"encoding/json"
	"testing"
)

// goldenWire is a string, or an object with the hex digits of bytes.
type goldenWire struct {
	data   []byte
	binary bool
}

func (g *goldenWire) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		g.data = []byte(s)
		return nil
	}
	var h struct{ Hex string }
	if err := json.Unmarshal(b, &h); err != nil {
		return err
	}
	g.binary = true
	for i := 0; i+1 < len(h.Hex); i += 2 {
		g.data = append(g.data, unhexByte(h.Hex[i])<<4|unhexByte(h.Hex[i+1]))
	}
	return nil
}

func unhexByte(c byte) byte { return c&15 + c>>6*9 }

func TestGoldenEncodeEIO3(t *testing.T) {
	for _, g := range goldenLines[struct {
		Packets []goldenPacket
		Text    string
		Mixed   goldenWire
		Frames  []goldenWire
		Base64  []string
	}](t, "encode_eio3.txt") {
		var text, mixed []byte
		binary := false
		for i := range g.Packets {
			p := g.Packets[i].packet(t)
			binary = binary || p.Binary
			text = AppendTextEIO3(text, p)
			mixed = AppendBinaryEIO3(mixed, p)
			if frame, isBinary := AppendFrameEIO3(nil, p); isBinary != g.Frames[i].binary || !bytes.Equal(frame, g.Frames[i].data) {
				t.Errorf("frame %q, want %q", frame, g.Frames[i].data)
			}
			if got := AppendBase64EIO3(nil, p); string(got) != g.Base64[i] {
				t.Errorf("base64 %q, want %q", got, g.Base64[i])
			}
		}
		if string(text) != g.Text {
			t.Errorf("text payload %q, want %q", text, g.Text)
		}
		if binary != g.Mixed.binary || binary && !bytes.Equal(mixed, g.Mixed.data) {
			t.Errorf("binary payload %q, want %q", mixed, g.Mixed.data)
		}
	}
}

func TestGoldenDecodeEIO3(t *testing.T) {
	for _, g := range goldenLines[struct {
		Body    goldenWire
		Packets []goldenPacket
	}](t, "decode_eio3.txt") {
		got, err := readAllEIO3(g.Body.data, g.Body.binary)
		if last := len(g.Packets) - 1; last >= 0 && g.Packets[last].Type == "error" {
			if err == nil {
				t.Errorf("%q: no error", g.Body.data)
			}
			g.Packets = g.Packets[:last]
		} else if err != nil {
			t.Errorf("%q: %v", g.Body.data, err)
		}
		if len(got) != len(g.Packets) {
			t.Errorf("%q: %d packets, want %d", g.Body.data, len(got), len(g.Packets))
			continue
		}
		for i := range got {
			if want := g.Packets[i].packet(t); !equal(got[i], want) {
				t.Errorf("%q: packet %d is %+v, want %+v", g.Body.data, i, got[i], want)
			}
		}
	}
}
