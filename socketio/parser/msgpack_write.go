package parser

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strconv"

	"github.com/tinylib/msgp/msgp"
)

// packer turns JSON text into MessagePack in one pass. How many elements a
// container has is known at its end, so each header is written as if they were
// few; widen makes room for those of more. Recursion is bounded: an argument nests
// maxDepth deep at most, and lies in an array.
type packer struct {
	in   []byte
	pos  int
	att  [][]byte
	out  []byte
	wide []wideHeader
	form MsgpackForm
}

// wideHeader is a container of more than 15 elements whose header, out[at], has
// no room for their number.
type wideHeader struct {
	at int
	n  int
}

const (
	fixMap   = 0x80
	fixArray = 0x90
	array16  = 0xdc
	array32  = 0xdd
	map16    = 0xde
	map32    = 0xdf

	uint64Lead = 0xcf
	int64Lead  = 0xd3
)

// value appends the value at in[pos]. It reports whether it is valid.
func (p *packer) value(depth int) bool {
	if p.pos = skipSpace(p.in, p.pos); p.pos == len(p.in) || depth > maxDepth+1 {
		return false
	}
	switch c := p.in[p.pos]; {
	case c == '{':
		return p.binary() || p.object(depth+1)
	case c == '[':
		return p.array(depth + 1)
	case c == '"':
		return p.str()
	case c == '-' || isDigit(c):
		return p.number()
	}
	c, end := p.in[p.pos], skipScalar(p.in, p.pos)
	if end < 0 {
		return false
	}
	p.pos = end
	if c == 'n' {
		p.out = msgp.AppendNil(p.out)
	} else {
		p.out = msgp.AppendBool(p.out, c == 't')
	}
	return true
}

// binary appends the binary value of a placeholder, if there is one here.
func (p *packer) binary() bool {
	n, end := placeholderAt(p.in, p.pos, len(p.att))
	if end < 0 {
		return false
	}
	p.pos = end
	p.out = msgp.AppendBytes(p.out, p.att[n])
	return true
}

func (p *packer) array(depth int) bool {
	at, n := p.open(fixArray, ']')
	for n >= 0 {
		if !p.value(depth) {
			return false
		}
		n++
		if more, ok := p.delim(']'); !more {
			p.close(at, n)
			return ok
		}
	}
	return true
}

func (p *packer) object(depth int) bool {
	at, n := p.open(fixMap, '}')
	for n >= 0 {
		p.pos = skipSpace(p.in, p.pos)
		if p.pos == len(p.in) || p.in[p.pos] != '"' || !p.str() {
			return false
		}
		if p.pos = skipSpace(p.in, p.pos); p.pos == len(p.in) || p.in[p.pos] != ':' {
			return false
		}
		p.pos++
		if !p.value(depth) {
			return false
		}
		n++
		if more, ok := p.delim('}'); !more {
			p.close(at, n)
			return ok
		}
	}
	return true
}

// open begins a container. n is -1 if it has no elements.
func (p *packer) open(header, closing byte) (at, n int) {
	at = len(p.out)
	p.out = append(p.out, header)
	if p.pos = skipSpace(p.in, p.pos+1); p.pos < len(p.in) && p.in[p.pos] == closing {
		p.pos++
		return at, -1
	}
	return at, 0
}

// close writes the number of elements.
func (p *packer) close(at, n int) {
	if n < 16 {
		p.out[at] |= byte(n)
		return
	}
	p.wide = append(p.wide, wideHeader{at, n})
}

// delim takes a comma or the closing byte, and reports whether more follows and
// whether it was one of them.
func (p *packer) delim(closing byte) (more, ok bool) {
	if p.pos = skipSpace(p.in, p.pos); p.pos == len(p.in) {
		return false, false
	}
	c := p.in[p.pos]
	p.pos++
	return c == ',', c == ',' || c == closing
}

// str appends the string at in[pos].
func (p *packer) str() bool {
	end := skipString(p.in, p.pos)
	if end < 0 {
		return false
	}
	s := p.in[p.pos+1 : end-1]
	p.pos = end
	if bytes.IndexByte(s, '\\') < 0 {
		p.out = msgp.AppendStringFromBytes(p.out, s)
		return true
	}
	const header = 5 // bytes at most; the text then moves to where it belongs
	at := len(p.out)
	p.out = append(p.out, make([]byte, header)...)
	p.out = appendUnescaped(p.out, s)
	p.out = msgp.AppendStringFromBytes(p.out[:at], p.out[at+header:])
	return true
}

// number appends the number at in[pos] in the form of notepack.io.
func (p *packer) number() bool {
	end := skipNumber(p.in, p.pos)
	if end < 0 {
		return false
	}
	raw := p.in[p.pos:end]
	p.pos = end
	if p.form == MsgpackJS {
		p.out = appendNumberJS(p.out, raw)
	} else {
		p.out = appendNumber(p.out, raw)
	}
	return true
}

// appendNumberJS is appendNumber in the form of @msgpack/msgpack, for which an
// integer beyond 2^53-1 is a float. One that JavaScript would not print so, and
// that is no float, can only be another program's: it stays exact.
func appendNumberJS(dst, raw []byte) []byte {
	f, _ := strconv.ParseFloat(string(raw), 64)
	if f != math.Trunc(f) || math.Abs(f) <= maxID {
		return appendNumber(dst, raw)
	}
	var room [48]byte
	if exact := appendNumber(room[:0], raw); exact[0] == uint64Lead || exact[0] == int64Lead {
		text := appendFloat(room[16:16], f, 64)
		bits := binary.BigEndian.Uint64(exact[1:])
		same := f < 0 && int64(f) == int64(bits) || f > 0 && f < 1<<64 && uint64(f) == bits
		if !same && !bytes.Equal(text, raw) {
			return append(dst, exact...)
		}
	}
	return msgp.AppendFloat64(dst, f)
}

// appendNumber appends a valid JSON number: an integer if it is one and there is
// a form for it, else a float of 64 bits.
func appendNumber(dst, raw []byte) []byte {
	digits, negative := raw, raw[0] == '-'
	if negative {
		digits = raw[1:]
	}
	if n, err := strconv.ParseUint(string(digits), 10, 64); err == nil {
		switch {
		case !negative:
			return msgp.AppendUint64(dst, n)
		case n <= 1<<63:
			return appendNegative(dst, -int64(n))
		}
	}
	f, _ := strconv.ParseFloat(string(raw), 64) // out of range: infinite, as in JavaScript
	switch {
	case f != math.Trunc(f) || f >= 1<<64 || f < -1<<63:
		return msgp.AppendFloat64(dst, f)
	case f >= 0:
		return msgp.AppendUint64(dst, uint64(f))
	}
	return appendNegative(dst, int64(f))
}

func appendNegative(dst []byte, n int64) []byte {
	if n == 0 { // -0
		return append(dst, 0)
	}
	return msgp.AppendInt64(dst, n)
}

// widen gives the wide headers their room, moving each byte once.
func (p *packer) widen() {
	if len(p.wide) == 0 {
		return
	}
	slices.SortFunc(p.wide, func(a, b wideHeader) int { return cmp.Compare(a.at, b.at) })
	extra := 0
	for _, h := range p.wide {
		extra += h.room()
	}
	end := len(p.out)
	p.out = slices.Grow(p.out, extra)[:end+extra]
	for _, h := range slices.Backward(p.wide) {
		copy(p.out[h.at+1+extra:], p.out[h.at+1:end])
		end, extra = h.at, extra-h.room()
		h.put(p.out[h.at:], p.out[h.at+extra:])
	}
}

// room is how many bytes its number of elements takes.
func (h wideHeader) room() int {
	if h.n <= math.MaxUint16 {
		return 2
	}
	return 4
}

// put writes the header to dst; narrow is the header that has no room.
func (h wideHeader) put(narrow, dst []byte) {
	short, long := byte(map16), byte(map32)
	if narrow[0] == fixArray {
		short, long = array16, array32
	}
	if h.room() == 2 {
		dst[0] = short
		binary.BigEndian.PutUint16(dst[1:], uint16(h.n))
		return
	}
	dst[0] = long
	binary.BigEndian.PutUint32(dst[1:], uint32(h.n))
}
