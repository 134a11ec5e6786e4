//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The packets of npm socket.io-msgpack-parser: a MessagePack map with the keys
// type, data, nsp, id and options, in a binary frame.

// pack builds an EVENT with one string of less than 64 KiB.
func (m *message) pack(frame func(first byte, payload string), body string) {
	m.binID, m.wantFirst[0] = true, binaryFrame
	p := "\x84" + packText("type") + "\x02" + packText("nsp") + packText("/") +
		packText("data") + "\x92" + packText("echo") + packText(body) + packText("id") + "\xcd"
	// The id comes last: its mark is as long as two of these.
	frame(binaryFrame, p+idMark[:2])
	at := len(m.frames) - 2
	m.ids = []field{{at, len(p)}}
	m.expect(body)
}

func packText(s string) string {
	switch n := len(s); {
	case n < 32:
		return string([]byte{0xa0 | byte(n)}) + s
	case n < 256:
		return string([]byte{0xd9, byte(n)}) + s
	default:
		return string([]byte{0xda, byte(n >> 8), byte(n)}) + s
	}
}

var errPack = errors.New("not the MessagePack of an ack")

// packID reads the id of an ack.
func (m *message) packID(p []byte) (int, error) {
	id, kind := -1, -1
	err := packMap(p, func(name string, v []byte) {
		switch name {
		case "id":
			id = packInt(v)
		case "type":
			kind = packInt(v)
		}
	})
	if err != nil || kind != 3 || id < firstID || id > lastID {
		return 0, fmt.Errorf("%w: type %d, id %d, %v: % x", errPack, kind, id, err, p[:min(len(p), 60)])
	}
	return id, nil
}

// packArgument returns the text that is the only argument.
func packArgument(p []byte) (text []byte, err error) {
	err = packMap(p, func(name string, v []byte) {
		if name == "data" && len(v) > 1 && v[0] == 0x91 {
			head, n := packHead(v[1:])
			if head > 0 && len(v) == 1+head+n {
				text = v[1+head:]
			}
		}
	})
	return text, err
}

// packMap calls f for each entry of a map that is all of p.
func packMap(p []byte, f func(name string, value []byte)) error {
	if len(p) == 0 || p[0]&0xf0 != 0x80 {
		return errPack
	}
	entries := int(p[0] & 15)
	p = p[1:]
	for range entries {
		k, err := packSize(p, 0)
		if err != nil {
			return err
		}
		v, err := packSize(p[k:], 0)
		if err != nil {
			return err
		}
		head, _ := packHead(p)
		f(string(p[head:k]), p[k:k+v])
		p = p[k+v:]
	}
	if len(p) != 0 {
		return errPack
	}
	return nil
}

// packInt reads an unsigned integer, -1 if it is none.
func packInt(p []byte) int {
	switch {
	case len(p) == 1 && p[0] < 0x80:
		return int(p[0])
	case len(p) == 2 && p[0] == 0xcc:
		return int(p[1])
	case len(p) == 3 && p[0] == 0xcd:
		return int(binary.BigEndian.Uint16(p[1:]))
	}
	return -1
}

// packHead returns the sizes of the head and of the content of a string, 0 if
// it is none.
func packHead(p []byte) (head, n int) {
	switch {
	case len(p) > 0 && p[0]&0xe0 == 0xa0:
		return 1, int(p[0] & 31)
	case len(p) > 1 && p[0] == 0xd9:
		return 2, int(p[1])
	case len(p) > 2 && p[0] == 0xda:
		return 3, int(binary.BigEndian.Uint16(p[1:]))
	}
	return 0, 0
}

// packSize returns the size of the value at the start of p: what servers send
// in a CONNECT or an ACK, small maps and arrays, strings, integers, booleans,
// nothing.
func packSize(p []byte, depth int) (int, error) {
	if len(p) == 0 || depth > 8 {
		return 0, errPack
	}
	b, n, inner := p[0], 1, 0
	if head, size := packHead(p); head > 0 {
		n = head + size
	}
	switch {
	case b&0xf0 == 0x80:
		inner = 2 * int(b&15)
	case b&0xf0 == 0x90:
		inner = int(b & 15)
	case b == 0xcc:
		n = 2
	case b == 0xcd:
		n = 3
	case b == 0xce:
		n = 5
	case b == 0xd4: // an extension of one byte, for what is undefined in JavaScript
		n = 3
	}
	for range inner {
		if n > len(p) {
			return 0, errPack
		}
		more, err := packSize(p[n:], depth+1)
		if err != nil {
			return 0, err
		}
		n += more
	}
	if n > len(p) {
		return 0, errPack
	}
	return n, nil
}
