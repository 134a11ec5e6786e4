package weakaes

import (
	"bytes"
	"testing"

	"github.com/hermod-io/hermod/internal/mormotvectors"
)

// What strangers send makes no panic and no more than it is long; what is
// sealed opens, and not when cut short.
func FuzzWeakAESOpen(f *testing.F) {
	var file struct{ Vectors []recorded }
	mormotvectors.Load(f, "crypto", &file)
	for _, v := range file.Vectors {
		if v.Wire != "" {
			f.Add(mormotvectors.Hex(f, v.Key), mormotvectors.Hex(f, v.Wire), int(modes[v.Mode]))
		}
	}
	f.Fuzz(func(t *testing.T, key, in []byte, mode int) {
		c, err := New(key, Mode(mode))
		if err != nil {
			return
		}
		out, err := c.Open([]byte("d"), in)
		if out[0] != 'd' || err != nil && len(out) != 1 || err == nil && (len(out) < 2 || len(out) > len(in)) {
			t.Fatalf("%d bytes of %d, %v", len(out)-1, len(in), err)
		}
		frame, err := c.Seal(nil, in)
		if len(in) == 0 {
			return
		}
		if err != nil || len(frame) <= len(in)+16 || len(frame) > len(in)+Overhead {
			t.Fatalf("Seal: %d bytes of %d, %v", len(frame), len(in), err)
		}
		if back, err := c.Open(nil, frame); err != nil || !bytes.Equal(back, in) {
			t.Fatalf("Open of Seal: %v", err)
		}
		if _, err := c.Open(nil, frame[:len(frame)-1]); err == nil {
			t.Fatal("a frame cut short was accepted")
		}
	})
}
