package wscore

import (
	"crypto/rand"
	"encoding/binary"
)

// maxControl is the longest payload of a control frame. RFC 6455 section 5.5.
const maxControl = 125

// appendHeader appends the header of an unmasked frame. RFC 6455 section 5.2.
func appendHeader(dst []byte, op Opcode, n int) []byte {
	b0 := 0x80 | byte(op)
	switch {
	case n < 126:
		return append(dst, b0, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, b0, 126), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, b0, 127), uint64(n))
}

// headerLen is the length of what appendHeader appends.
func headerLen(n int) int {
	switch {
	case n < 126:
		return 2
	case n < 1<<16:
		return 4
	}
	return 10
}

// frameLen is the length of a frame with n bytes of payload.
func frameLen(n int, masked bool) int {
	if masked {
		return headerLen(n) + 4 + n
	}
	return headerLen(n) + n
}

// appendFrame appends a frame whose payload is prefix followed by data, masked
// with a fresh random key if it is a client's. bits are FIN and RSV1. RFC 6455
// sections 5.2 and 5.3.
func appendFrame(dst []byte, bits byte, op Opcode, prefix, data []byte, masked bool) []byte {
	start := len(dst)
	dst = appendHeader(dst, op, len(prefix)+len(data))
	dst[start] = bits | byte(op)
	if !masked {
		return append(append(dst, prefix...), data...)
	}
	dst[start+1] |= 0x80
	var key [4]byte
	_, _ = rand.Read(key[:]) // never fails
	dst = append(dst, key[:]...)
	body := len(dst)
	dst = append(append(dst, prefix...), data...)
	mask(dst[body:], binary.LittleEndian.Uint32(key[:]))
	return dst
}

// The first bits of a frame.
const (
	bitFin  = 0x80
	bitRSV1 = 0x40 // deflated: RFC 7692 section 6
)

func (op Opcode) control() bool { return op&0x8 != 0 }
