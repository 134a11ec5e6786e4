package raw

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"
)

// The opcodes and bits of RFC 6455 section 5.2.
const (
	Cont  byte = 0x0
	Text  byte = 0x1
	Bin   byte = 0x2
	Close byte = 0x8
	Ping  byte = 0x9
	Pong  byte = 0xA
	Fin   byte = 0x80
	RSV1  byte = 0x40
	RSV2  byte = 0x20
	RSV3  byte = 0x10
)

// Frame is one frame: its first byte (bits and opcode) and its payload, unmasked.
type Frame struct {
	B0      byte
	Payload []byte
}

// String shows the frame, a long payload shortened.
func (f Frame) String() string {
	if len(f.Payload) > 40 {
		return fmt.Sprintf("[%02x %q… %d bytes]", f.B0, f.Payload[:40], len(f.Payload))
	}
	return fmt.Sprintf("[%02x %q]", f.B0, f.Payload)
}

// Closing is the payload of a close frame; code 1005 is an empty one.
func Closing(code int, reason string) []byte {
	if code == 1005 {
		return nil
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}

// Code is the status code in the payload of a close frame, 1005 if there is
// none, -1 if it is malformed.
func Code(payload []byte) int {
	switch len(payload) {
	case 0:
		return 1005
	case 1:
		return -1
	}
	return int(binary.BigEndian.Uint16(payload))
}

// Header is the header of a frame with n bytes of payload in form 7, 16 or 64
// bits; form 0 is the shortest. The key is appended if masked.
func Header(b0 byte, n uint64, form int, masked bool, key [4]byte) []byte {
	if form == 0 {
		switch form = 64; {
		case n < 126:
			form = 7
		case n < 1<<16:
			form = 16
		}
	}
	var m byte
	if masked {
		m = 0x80
	}
	var h []byte
	switch form {
	case 7:
		h = []byte{b0, m | byte(n)}
	case 16:
		h = binary.BigEndian.AppendUint16([]byte{b0, m | 126}, uint16(n))
	default:
		h = binary.BigEndian.AppendUint64([]byte{b0, m | 127}, n)
	}
	if masked {
		h = append(h, key[:]...)
	}
	return h
}

// key masks what a client sends: a constant one, so that bytes can be compared.
var key = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// Append appends f as it travels.
func (f Frame) Append(dst []byte, masked bool) []byte {
	dst = append(dst, Header(f.B0, uint64(len(f.Payload)), 0, masked, key)...)
	if !masked {
		return append(dst, f.Payload...)
	}
	start := len(dst)
	dst = append(dst, f.Payload...)
	Mask(dst[start:])
	return dst
}

// Mask masks b with the key of Append.
func Mask(b []byte) { xor(b, key) }

func xor(b []byte, k [4]byte) {
	pad := bytes.Repeat(k[:], min(len(b)/4+1, 1<<10))
	for len(b) > 0 {
		n := subtle.XORBytes(b, b, pad[:min(len(b), len(pad))])
		b = b[n:]
	}
}

// ReadFrame reads a frame, which must be masked or must not, and must have its
// length in the shortest form. RFC 6455 section 5.2.
func ReadFrame(r io.Reader, masked bool) (f Frame, err error) {
	var h [8]byte
	if _, err = io.ReadFull(r, h[:2]); err != nil {
		return f, err
	}
	f.B0 = h[0]
	if (h[1]&0x80 != 0) != masked {
		return f, fmt.Errorf("frame %02x %02x: masked is not %v", h[0], h[1], masked)
	}
	n, least := uint64(h[1]&0x7f), uint64(0)
	switch n {
	case 126:
		_, err = io.ReadFull(r, h[:2])
		n, least = uint64(binary.BigEndian.Uint16(h[:2])), 126
	case 127:
		_, err = io.ReadFull(r, h[:8])
		n, least = binary.BigEndian.Uint64(h[:8]), 1<<16
	}
	if err == nil && (n < least || n > 1<<28) {
		err = fmt.Errorf("frame %02x: length %d in a form from %d", f.B0, n, least)
	}
	if err != nil {
		return f, err
	}
	if f.B0&0xf >= 8 && (n > 125 || f.B0&Fin == 0) {
		return f, fmt.Errorf("frame %02x: a control frame of %d bytes", f.B0, n)
	}
	var k [4]byte
	if masked {
		if _, err = io.ReadFull(r, k[:]); err != nil {
			return f, err
		}
	}
	f.Payload = make([]byte, n)
	_, err = io.ReadFull(r, f.Payload)
	if masked {
		xor(f.Payload, k)
	}
	return f, err
}
