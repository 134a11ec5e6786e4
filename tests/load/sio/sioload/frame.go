//go:build linux

package main

import (
	"encoding/binary"
	"errors"
)

// First bytes of frames that are whole messages. RFC 6455 section 5.2, RFC 7692 section 6.
const (
	textFrame   = 0x81
	binaryFrame = 0x82
	deflated    = 0x40 // of them, or'ed
	closeFrame  = 0x88
	pingFrame   = 0x89
)

// key masks all frames: the server has its work with it whatever it is.
var key = [4]byte{0x9d, 0x42, 0x1b, 0xe6}

// mask masks p in place; it is a payload from its at-th byte on.
func mask(p []byte, at int) {
	for i := range p {
		p[i] ^= key[(at+i)&3]
	}
}

// appendFrame appends a masked frame. RFC 6455 section 5.2.
func appendFrame(dst []byte, first byte, payload []byte) []byte {
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, first, 0x80|byte(n))
	case n < 1<<16:
		dst = append(dst, first, 0x80|126, byte(n>>8), byte(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, first, 0x80|127), uint64(n))
	}
	dst = append(dst, key[:]...)
	at := len(dst)
	dst = append(dst, payload...)
	mask(dst[at:], 0)
	return dst
}

var errFrame = errors.New("a frame that is masked, or larger than anything sent")

// nextFrame returns the first frame in p and its whole size, 0 when more has to
// be read.
func nextFrame(p []byte) (first byte, payload []byte, size int, err error) {
	if len(p) < 2 {
		return 0, nil, 0, nil
	}
	n, at := int(p[1]), 2
	switch {
	case n == 126:
		if len(p) < 4 {
			return 0, nil, 0, nil
		}
		n, at = int(binary.BigEndian.Uint16(p[2:])), 4
	case n == 127:
		if len(p) < 10 {
			return 0, nil, 0, nil
		}
		long := binary.BigEndian.Uint64(p[2:])
		if long > 1<<20 {
			return 0, nil, 0, errFrame
		}
		n, at = int(long), 10
	case n > 127:
		return 0, nil, 0, errFrame
	}
	if len(p) < at+n {
		return 0, nil, 0, nil
	}
	return p[0], p[at : at+n], at + n, nil
}
