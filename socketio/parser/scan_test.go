package parser

import (
	"bytes"
	"math/bits"
	"testing"
)

// oddBytes agrees with plain about every byte at every place, whatever is
// beside it, but for bytes above 0x7f.
func TestOddBytes(t *testing.T) {
	for at := range 8 {
		for c := range 256 {
			for _, other := range []byte{' ', '!', '#', '[', ']', '~', 0x7f} {
				s := bytes.Repeat([]byte{other}, 8)
				s[at] = byte(c)
				want := 8
				if !plain(byte(c)) || c > 0x7f {
					want = at
				}
				if got := bits.TrailingZeros64(oddBytes(word(s, 0))) / 8; got != want {
					t.Errorf("%q: %d, want %d", s, got, want)
				}
				for _, behind := range []byte{0, '"', '\\', 0x80, 0xff} {
					if at == 7 || want == 8 {
						continue
					}
					s[7] = behind
					if got := bits.TrailingZeros64(oddBytes(word(string(s), 0))) / 8; got != want {
						t.Errorf("%q: %d, want %d", s, got, want)
					}
					s[7] = other
				}
			}
		}
	}
}
