package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// First bytes of frames that are whole messages. RFC 6455 section 5.2, RFC 7692 section 6.
const (
	textFrame     = 0x81
	binaryFrame   = 0x82
	deflatedFrame = 0xC1 // of text
)

// mask is the key of all frames: the server has the work, the order of its
// bytes and their values do not matter to it.
var mask = [4]byte{0x37, 0xfa, 0x21, 0x3d}

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
	dst = append(dst, mask[:]...)
	for i, b := range payload {
		dst = append(dst, b^mask[i&3])
	}
	return dst
}

// errFrame is an answer that no server may send.
var errFrame = errors.New("frame of a server that is masked or of 64 KiB and more")

// nextFrame returns the first frame in p and its whole size, which is 0 when
// more has to be read.
func nextFrame(p []byte) (first byte, payload []byte, size int, err error) {
	if len(p) < 2 {
		return 0, nil, 0, nil
	}
	n, at := int(p[1]), 2
	switch {
	case n > 126:
		return 0, nil, 0, errFrame
	case n == 126:
		if len(p) < 4 {
			return 0, nil, 0, nil
		}
		n, at = int(binary.BigEndian.Uint16(p[2:])), 4
	}
	if len(p) < at+n {
		return 0, nil, 0, nil
	}
	return p[0], p[at : at+n], at + n, nil
}

// message is a binary message of fixed size that begins with a number.
type message struct {
	payload []byte // its number is 0
	frame   []byte
	at      int // where the payload begins in frame
}

// newMessage returns a message of size bytes, at least 8.
func newMessage(size int) *message {
	m := &message{payload: make([]byte, size)}
	for i := 8; i < size; i++ {
		m.payload[i] = byte('a' + i%26)
	}
	m.frame = appendFrame(nil, binaryFrame, m.payload)
	m.at = len(m.frame) - size
	return m
}

// appendNumber appends the frame of message number n.
func (m *message) appendNumber(dst []byte, n uint64) []byte {
	at := len(dst) + m.at
	dst = append(dst, m.frame...)
	key := uint64(binary.BigEndian.Uint32(mask[:]))
	binary.BigEndian.PutUint64(dst[at:], n^(key<<32|key))
	return dst
}

// check compares a frame that was received with message number n.
func (m *message) check(first byte, payload []byte, n uint64) error {
	switch {
	case first != binaryFrame || len(payload) != len(m.payload):
		return fmt.Errorf("received a frame %#x of %d bytes, want %#x of %d", first, len(payload), binaryFrame, len(m.payload))
	case binary.BigEndian.Uint64(payload) != n:
		return fmt.Errorf("received message %d, want %d", binary.BigEndian.Uint64(payload), n)
	case !bytes.Equal(payload[8:], m.payload[8:]):
		return fmt.Errorf("message %d came back with other bytes", n)
	}
	return nil
}
