package parser

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// maxDepth bounds the nesting of arrays and objects in a packet.
const maxDepth = 1000

// nesting is a stack of one bit per open array (0) or object (1).
type nesting struct {
	bits  [maxDepth/64 + 1]uint64
	depth int
}

func (n *nesting) push(object bool) bool {
	if n.depth == maxDepth {
		return false
	}
	w, m := n.depth>>6, uint64(1)<<(n.depth&63)
	if object {
		n.bits[w] |= m
	} else {
		n.bits[w] &^= m
	}
	n.depth++
	return true
}

func (n *nesting) inObject() bool {
	d := n.depth - 1
	return n.bits[d>>6]>>(d&63)&1 == 1
}

// skipValue returns the index behind the JSON value that begins at b[i] (after
// white space). It checks the whole grammar of RFC 8259 but for the encoding of
// text, without recursion.
func skipValue(b []byte, i int) (int, *Error) {
	if i = skipSpace(b, i); i < len(b) && b[i] != '[' && b[i] != '{' {
		if i = skipScalar(b, i); i < 0 {
			return i, errJSON
		}
		return i, nil
	}
	return skipNested(b, i)
}

// skipNested is skipValue for an array or an object, or for nothing at all, at
// b[i]. It is apart because its nesting is large.
func skipNested(b []byte, i int) (int, *Error) {
	var open nesting
	wantValue := true
	for {
		if i = skipSpace(b, i); i >= len(b) {
			return i, errJSON
		}
		c := b[i]
		if wantValue {
			switch c {
			case '[', '{':
				if !open.push(c == '{') {
					return i, errDepth
				}
				next := skipSpace(b, i+1)
				if next < len(b) && b[next] == c+2 { // ']' and '}' are two behind
					i, wantValue = next, false
					continue
				}
				if i = i + 1; c == '{' {
					if i = skipName(b, i); i < 0 {
						return i, errJSON
					}
				}
				continue
			}
			if i = skipScalar(b, i); i < 0 {
				return i, errJSON
			}
			wantValue = false
			continue
		}
		switch object := open.inObject(); {
		case c == ',' && !object:
			i, wantValue = i+1, true
		case c == ',':
			if i = skipName(b, i+1); i < 0 {
				return i, errJSON
			}
			wantValue = true
		case c == '}' && object, c == ']' && !object:
			i++
			if open.depth--; open.depth == 0 {
				return i, nil
			}
		default:
			return i, errJSON
		}
	}
}

// skipName returns the index behind the next member name and its colon, or -1.
func skipName(b []byte, i int) int {
	i = skipSpace(b, i)
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	if i = skipString(b, i); i < 0 {
		return -1
	}
	if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
		return -1
	}
	return i + 1
}

// skipScalar returns the index behind the string, number or literal at b[i],
// or -1.
func skipScalar(b []byte, i int) int {
	switch c := b[i]; {
	case c == '"':
		return skipString(b, i)
	case c == '-' || isDigit(c):
		return skipNumber(b, i)
	case c == 't':
		return skipLiteral(b, i, "true")
	case c == 'f':
		return skipLiteral(b, i, "false")
	case c == 'n':
		return skipLiteral(b, i, "null")
	}
	return -1
}

func skipLiteral(b []byte, i int, lit string) int {
	if len(b)-i < len(lit) || string(b[i:i+len(lit)]) != lit {
		return -1
	}
	return i + len(lit)
}

// skipString returns the index behind the string whose quote is b[i], or -1.
func skipString(b []byte, i int) int {
	i++
	for {
		for len(b)-i >= 8 {
			odd := oddBytes(binary.LittleEndian.Uint64(b[i:]))
			if odd != 0 {
				i += bits.TrailingZeros64(odd) / 8
				break
			}
			i += 8
		}
		for i < len(b) && plain(b[i]) {
			i++
		}
		if i == len(b) {
			return -1
		}
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			n := escapeLen(b[i:])
			if n == 0 {
				return -1
			}
			i += n
		default:
			return -1
		}
	}
}

// plain reports that c stands for itself in a JSON string.
func plain(c byte) bool { return c >= ' ' && c != '"' && c != '\\' }

// oddBytes marks, by its highest bit, each byte of w that does not stand for
// itself in a JSON string. Only the lowest mark is sure: a borrow may mark bytes
// behind it.
func oddBytes(w uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, slash := w^(ones*'"'), w^(ones*'\\')
	return ((w-ones*' ')&^w | (quote-ones)&^quote | (slash-ones)&^slash) & highs
}

// plainASCII reports that all of s is ASCII that stands for itself in a JSON string.
func plainASCII(s []byte) bool { return endOfASCII(s, 0) == len(s) }

// endOfASCII returns the index of the first byte from b[i] on that is not ASCII that
// stands for itself in a JSON string, or len(b).
func endOfASCII(b []byte, i int) int {
	for len(b)-i >= 8 {
		if odd := oddASCII(binary.LittleEndian.Uint64(b[i:])); odd != 0 {
			return i + bits.TrailingZeros64(odd)/8
		}
		i += 8
	}
	for i < len(b) && plain(b[i]) && b[i] < utf8.RuneSelf {
		i++
	}
	return i
}

// oddASCII marks, by its highest bit, each byte of w that is not ASCII that stands for
// itself in a JSON string. Only the lowest mark is sure: a sum of a byte that is not ASCII
// may carry into the bytes behind it.
func oddASCII(w uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, slash := w^(ones*'"'), w^(ones*'\\')
	return highs &^ ((w + ones*(0x80-' ')) & (quote + ones*0x7F) & (slash + ones*0x7F) &^ w)
}

// escapeLen returns the length of the escape sequence at b[0], 0 if illegal.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) >= 6 && isHex(b[2]) && isHex(b[3]) && isHex(b[4]) && isHex(b[5]) {
			return 6
		}
	}
	return 0
}

// skipNumber returns the index behind the number at b[i], or -1.
func skipNumber(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	switch {
	case i >= len(b) || !isDigit(b[i]):
		return -1
	case b[i] == '0':
		i++
	default:
		i = skipDigits(b, i)
	}
	if i < len(b) && b[i] == '.' {
		j := skipDigits(b, i+1)
		if j == i+1 {
			return -1
		}
		i = j
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		j := skipDigits(b, i)
		if j == i {
			return -1
		}
		i = j
	}
	return i
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	return i
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isHex(c byte) bool { return isDigit(c) || (c|0x20)-'a' <= 5 }
