package wscore

import (
	"encoding/binary"
	"math/bits"
)

// mask applies the masking key to b in place and returns the key for the bytes
// that follow. The key's first byte is its lowest. RFC 6455 section 5.3.
func mask(b []byte, key uint32) uint32 {
	if key == 0 {
		return 0
	}
	if len(b) >= 16 {
		k := uint64(key)<<32 | uint64(key)
		n := len(b) &^ 15
		for i := 0; i < n; i += 16 {
			p := b[i : i+16 : i+16]
			binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^k)
			binary.LittleEndian.PutUint64(p[8:], binary.LittleEndian.Uint64(p[8:])^k)
		}
		b = b[n:]
	}
	for i := range b {
		b[i] ^= byte(key)
		key = bits.RotateLeft32(key, -8)
	}
	return key
}
