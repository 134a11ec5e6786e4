package packet

import (
	"strconv"
	"unicode/utf8"
)

// In a text payload of protocol 3 each packet is preceded by its length in
// UTF-16 code units and a colon; bytes are in base64. In a binary one it is
// preceded by 0 (text) or 1 (bytes), the digits of its length in bytes as bytes
// 0 to 9, and 255. Engine.IO protocol v3, "Payload".

// maxLengthDigits bounds the digits of a length, as the official server does:
// that many has the largest number of JavaScript.
const maxLengthDigits = 310

// endOfLength follows the digits of a length in a binary payload.
const endOfLength = 255

// AppendTextEIO3 appends to dst one packet as it stands in a text payload.
func AppendTextEIO3(dst []byte, p Packet) []byte {
	if p.Binary {
		dst = strconv.AppendInt(dst, int64(2+encodedLen(len(p.Data))), 10)
	} else {
		dst = strconv.AppendInt(dst, int64(1+utf16Len(p.Data)), 10)
	}
	return AppendBase64EIO3(append(dst, ':'), p)
}

// AppendBinaryEIO3 appends to dst one packet as it stands in a binary payload.
func AppendBinaryEIO3(dst []byte, p Packet) []byte {
	mark := byte(0)
	if p.Binary {
		mark = 1
	}
	dst = append(dst, mark)
	start := len(dst)
	dst = strconv.AppendInt(dst, int64(1+len(p.Data)), 10)
	for i := start; i < len(dst); i++ {
		dst[i] -= '0'
	}
	dst, _ = AppendFrameEIO3(append(dst, endOfLength), p)
	return dst
}

// utf16Len is the length of text in UTF-16 code units; a byte that is not UTF-8
// counts as one.
func utf16Len(text []byte) (n int) {
	for len(text) > 0 {
		size, units := runeEIO3(text)
		text = text[size:]
		n += units
	}
	return n
}

// runeEIO3 is the length of the first character in bytes and in code units.
func runeEIO3(text []byte) (size, units int) {
	if text[0] < utf8.RuneSelf {
		return 1, 1
	}
	if _, size = utf8.DecodeRune(text); size == 4 {
		return 4, 2
	}
	return size, 1
}

// PayloadReaderEIO3 iterates over the packets of a payload of protocol 3. It
// allocates nothing: what is in base64 is decoded in place, so it overwrites
// the payload, and the Data of every packet aliases it. It is used by one
// goroutine at a time.
type PayloadReaderEIO3 struct {
	rest   []byte
	binary bool
	pkt    Packet
	err    error
}

// NewTextReaderEIO3 returns a reader of a text payload, which it will overwrite.
// An empty one is an error; packets of the length 0 are passed over.
func NewTextReaderEIO3(payload []byte) PayloadReaderEIO3 {
	r := PayloadReaderEIO3{rest: payload}
	if len(payload) == 0 {
		r.err = errEmptyPayload
	}
	return r
}

// NewBinaryReaderEIO3 returns a reader of a binary payload, which it will
// overwrite. An empty one has no packets.
func NewBinaryReaderEIO3(payload []byte) PayloadReaderEIO3 {
	return PayloadReaderEIO3{rest: payload, binary: true}
}

// Next advances to the next packet and reports whether there is one. It stops
// at the end and at the first malformed packet; Err tells which.
func (r *PayloadReaderEIO3) Next() bool {
	for r.err == nil && len(r.rest) > 0 {
		var ok bool
		if r.binary {
			ok, r.err = r.bytes()
		} else {
			ok, r.err = r.text()
		}
		if ok && r.err == nil {
			return true
		}
	}
	return false
}

// Packet returns the packet Next advanced to. Its Data is valid as long as the
// payload is.
func (r *PayloadReaderEIO3) Packet() Packet { return r.pkt }

// Err returns nil after the end of a well-formed payload, else an *Error.
func (r *PayloadReaderEIO3) Err() error { return r.err }

// text takes a packet of a text payload; ok is false for one without content.
func (r *PayloadReaderEIO3) text() (ok bool, err error) {
	units, err := r.length('0', ':')
	if err != nil || units == 0 {
		return false, err
	}
	n := 0
	for units > 0 {
		if n == len(r.rest) {
			return false, errTruncated
		}
		size, u := runeEIO3(r.rest[n:])
		n += size
		units -= u
	}
	if units < 0 {
		return false, errBadLength // within a surrogate pair
	}
	msg := r.rest[:n:n]
	r.rest = r.rest[n:]
	r.pkt, err = decodeInPlaceEIO3(msg)
	return true, err
}

// bytes takes a packet of a binary payload.
func (r *PayloadReaderEIO3) bytes() (ok bool, err error) {
	mark := r.rest[0]
	if mark > 1 {
		return false, errUnknownType
	}
	r.rest = r.rest[1:]
	n, err := r.length(0, endOfLength)
	switch {
	case err != nil:
		return false, err
	case n > len(r.rest):
		return false, errTruncated
	case n == 0:
		return false, errEmptyPacket
	}
	msg := r.rest[:n:n]
	r.rest = r.rest[n:]
	if mark == 1 {
		r.pkt, err = DecodeBinaryEIO3(msg)
		return true, err
	}
	if !mendUTF8(msg) {
		return false, errBadText
	}
	r.pkt, err = decodeInPlaceEIO3(msg)
	return true, err
}

// length takes the digits of a length and what ends them. A length beyond what
// is left is an error as soon as that is known.
func (r *PayloadReaderEIO3) length(zero, end byte) (n int, err error) {
	for i, c := range r.rest {
		switch {
		case c == end && i > 0:
			r.rest = r.rest[i+1:]
			return n, nil
		case i == maxLengthDigits || c-zero > 9:
			return 0, errBadLength
		}
		if n = n*10 + int(c-zero); n > len(r.rest) {
			return 0, errTruncated
		}
	}
	return 0, errBadLength
}

// decodeInPlaceEIO3 decodes a packet, base64 over itself.
func decodeInPlaceEIO3(msg []byte) (Packet, error) {
	if msg[0] != base64Mark {
		return decodeTyped(msg)
	}
	return decodeBase64EIO3(msg[1:1:len(msg)], msg[1:])
}

// mendUTF8 reports whether text is UTF-8, but for half surrogate pairs, which
// the clients' own encoder lets pass: those become U+FFFD, of the same length.
func mendUTF8(text []byte) bool {
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			if len(text)-i < 3 || text[i] != 0xED || text[i+1]&0xE0 != 0xA0 || text[i+2]&0xC0 != 0x80 {
				return false
			}
			size = utf8.EncodeRune(text[i:], utf8.RuneError)
		}
		i += size
	}
	return true
}

var (
	errBadLength = &Error{Reason: "bad length"}
	errTruncated = &Error{Reason: "truncated payload"}
	errBadText   = &Error{Reason: "text is not UTF-8"}
)
