package weakaes

import "testing"

func BenchmarkSealOpen(b *testing.B) {
	for _, mode := range []Mode{CTR, CFB, OFB, CBC} {
		b.Run(mode.String(), func(b *testing.B) {
			c, err := New(make([]byte, 16), mode)
			if err != nil {
				b.Fatal(err)
			}
			plain, wire, back := make([]byte, 1000), make([]byte, 0, 1100), make([]byte, 0, 1100)
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			for b.Loop() {
				wire, _ = c.Seal(wire[:0], plain)
				if back, err = c.Open(back[:0], wire); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDeriveKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		DeriveKey([]byte("pass"), []byte(DefaultSalt), DefaultRounds)
	}
}
