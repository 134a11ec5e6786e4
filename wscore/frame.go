package wscore

import "encoding/binary"

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

func (op Opcode) control() bool { return op&0x8 != 0 }
