package wscore

import (
	"bytes"
	"encoding/hex"
	"testing"
	"unicode/utf8"

	"github.com/hermod-io/hermod/internal/mormotvectors"
)

func TestRecordedChallenges(t *testing.T) {
	var f struct {
		Vectors []struct{ Key, Accept string }
	}
	mormotvectors.Load(t, "challenge", &f)
	if len(f.Vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range f.Vectors {
		if got := acceptKey(v.Key); got != v.Accept {
			t.Errorf("%s: %s, want %s", v.Key, got, v.Accept)
		}
	}
}

// Frames of the reference are read as they were meant; those without a random key
// are ours byte for byte.
func TestRecordedFrames(t *testing.T) {
	var f struct {
		Vectors []struct {
			Opcode  Opcode
			Masked  bool
			Payload string
			Head    string `json:"wire_head_hex"`
			Hex     string `json:"wire_hex"`
			SHA256  string `json:"wire_sha256"`
			Len     int    `json:"wire_len"`
		}
	}
	mormotvectors.Load(t, "frames", &f)
	read := 0
	for _, v := range f.Vectors {
		payload := mormotvectors.Expand(t, v.Payload, "")
		if v.Masked {
			head := mormotvectors.Hex(t, v.Head)[:headerLen(len(payload))] // a random key follows
			if ours := appendFrame(nil, bitFin, v.Opcode, nil, payload, true); len(ours) != v.Len || !bytes.HasPrefix(ours, head) {
				t.Errorf("%d %s: %d bytes, header %x; want %d, %x", v.Opcode, v.Payload, len(ours), ours[:len(head)], v.Len, head)
			}
		} else {
			mormotvectors.Check(t, v.Payload, appendFrame(nil, bitFin, v.Opcode, nil, payload, false), v.Hex, v.SHA256)
		}
		if v.Hex == "" {
			continue
		}
		read++
		wire, _ := hex.DecodeString(v.Hex)
		p := &parser{masked: v.Masked}
		n, it, err := p.next(wire)
		if v.Opcode.control() && len(payload) > maxControl || v.Opcode == OpText && !utf8.Valid(payload) {
			if err == nil { // the reference sends and takes both
				t.Errorf("%d %s is read", v.Opcode, v.Payload)
			}
			continue
		}
		if err != nil || n != v.Len || !it.ok || it.op != v.Opcode || !bytes.Equal(it.data, payload) {
			t.Errorf("%d %s: read %d of %d bytes, %v, %v", v.Opcode, v.Payload, n, v.Len, it.ok, err)
		}
	}
	if read < 20 {
		t.Errorf("%d frames read", read)
	}
}
