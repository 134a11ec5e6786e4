package rest

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// binaryFormat is that of synopsebin and synopsebinary: the head, 0x01, the
// values and the content type each with its length before it, and the content up
// to the end.
type binaryFormat struct{}

const headEnd = 0x01

// append implements format.
func (binaryFormat) append(dst []byte, m *message, n int) []byte {
	dst = append(append(dst, m.head...), headEnd)
	for _, v := range m.values[:n] {
		dst = appendString(dst, v)
	}
	dst = appendString(dst, typeOnWire(m.contentType, m.content))
	return append(dst, m.content...)
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// parse implements format.
func (binaryFormat) parse(data []byte) (m message, err error) {
	head, rest, ok := bytes.Cut(data, []byte{headEnd})
	if !ok || len(head) == 0 || len(head) > maxHead {
		return m, errFrame
	}
	m.head = string(head)
	for i := range valuesOf(m.head) {
		if m.values[i], rest, ok = cutString(rest); !ok {
			return m, errFrame
		}
	}
	if m.contentType, rest, ok = cutString(rest); !ok {
		return m, errFrame
	}
	m.content = rest
	return m, nil
}

// maxHead is the longest head that is read.
const maxHead = 16

// cutString takes a value with its length off data.
func cutString(data []byte) (s string, rest []byte, ok bool) {
	b, rest, ok := cutBytes(data)
	return string(b), rest, ok
}

func cutBytes(data []byte) (b, rest []byte, ok bool) {
	n, k := uvarint32(data)
	if k <= 0 || n > uint64(len(data)-k) {
		return nil, nil, false
	}
	return data[k : k+int(n)], data[k+int(n):], true
}

// uvarint32 reads a length of at most five bytes.
func uvarint32(data []byte) (n uint64, size int) {
	return binary.Uvarint(data[:min(len(data), 5)])
}

// jumboHead begins a frame that holds several.
const jumboHead = "frames\x01"

// appendJumbo appends a frame that holds several.
func appendJumbo(dst []byte, frames [][]byte) []byte {
	dst = binary.AppendUvarint(append(dst, jumboHead...), uint64(len(frames)-1))
	for _, f := range frames {
		dst = append(binary.AppendUvarint(dst, uint64(len(f))), f...)
	}
	return dst
}

// splitJumbo calls f with each of the frames in one, and how many there are. ok
// is false if data is none; err tells that it is damaged, after f was called with
// what is before the damage.
func splitJumbo(data []byte, f func(i, n int, frame []byte)) (ok bool, err error) {
	rest, ok := bytes.CutPrefix(data, []byte(jumboHead))
	if !ok {
		return false, nil
	}
	count, k := uvarint32(rest)
	if k <= 0 || count >= uint64(len(rest)) {
		return true, errFrame
	}
	rest = rest[k:]
	n := int(count) + 1
	for i := range n {
		var frame []byte
		if frame, rest, ok = cutBytes(rest); !ok {
			return true, errFrame
		}
		f(i, n, frame)
	}
	if len(rest) > 0 {
		return true, errFrame
	}
	return true, nil
}

// frameHeader marks the first and the last request of a jumbo frame.
const frameHeader = "Sec-WebSocket-Frame"

// addHeader appends a line to the text of headers.
func addHeader(text, name, value string) string {
	text = strings.TrimRight(text, "\r\n")
	if text != "" {
		text += "\r\n"
	}
	return text + name + ": " + value
}
