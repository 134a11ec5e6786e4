package parser

import (
	"bytes"
	"encoding/binary"
	stdjson "encoding/json"
	"errors"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

var errTooDeep = errors.New("value is nested too deeply or refers to itself")

// Append implements JSON.
func (c *codec) Append(dst []byte, att [][]byte, v any) ([]byte, [][]byte, error) {
	out, outAtt, err := c.append(dst, att, v, 0)
	if err != nil {
		return dst, att, err
	}
	return out, outAtt, nil
}

// append is Append of what is depth arrays and objects deep in another value.
func (c *codec) append(dst []byte, att [][]byte, v any, depth int) ([]byte, [][]byte, error) {
	a := appender{c, dst, att, depth}
	err := a.value(v)
	return a.dst, a.att, err
}

// appender appends JSON text. What it appends to is not handed from value to value, so
// that one within others needs little of the stack: to grow that costs more than the text.
type appender struct {
	c     *codec
	dst   []byte
	att   [][]byte
	depth int
}

// value appends the types that need no reflection, and leaves the others to the library.
func (a *appender) value(v any) error {
	switch v := v.(type) {
	case nil:
		a.text("null")
	case string:
		a.dst = appendString(a.dst, v)
	case bool:
		a.dst = strconv.AppendBool(a.dst, v)
	case float64:
		a.dst = appendFloat(a.dst, v, 64)
	case []any:
		return a.slice(v)
	case map[string]any:
		return a.object(v)
	case []byte:
		a.bytes(v)
	case stdjson.RawMessage:
		return a.raw(v)
	case jsontext.Value:
		return a.raw(stdjson.RawMessage(v))
	default:
		return a.other(v)
	}
	return nil
}

// other is value of the types that decoded JSON does not have.
func (a *appender) other(v any) (err error) {
	switch v := v.(type) {
	case int:
		a.dst = strconv.AppendInt(a.dst, int64(v), 10)
	case int32:
		a.dst = strconv.AppendInt(a.dst, int64(v), 10)
	case int64:
		a.dst = strconv.AppendInt(a.dst, v, 10)
	case time.Duration:
		a.dst = strconv.AppendInt(a.dst, int64(v), 10)
	case uint:
		a.dst = strconv.AppendUint(a.dst, uint64(v), 10)
	case uint32:
		a.dst = strconv.AppendUint(a.dst, uint64(v), 10)
	case uint64:
		a.dst = strconv.AppendUint(a.dst, v, 10)
	case float32:
		a.dst = appendFloat(a.dst, float64(v), 32)
	default:
		a.dst, a.att, err = a.c.libraryAppend(a.dst, a.att, v, a.depth)
	}
	return err
}

func (a *appender) text(s string) { a.dst = append(a.dst, s...) }

// bytes appends a placeholder for b.
func (a *appender) bytes(b []byte) {
	if b == nil {
		a.text("null")
		return
	}
	a.dst = appendPlaceholder(a.dst, len(a.att))
	a.att = append(a.att, b)
}

func (a *appender) slice(v []any) error {
	if a.depth >= maxDepth {
		return errTooDeep
	}
	a.depth++
	a.text("[")
	for i, e := range v {
		if i > 0 {
			a.text(",")
		}
		if err := a.value(e); err != nil {
			return err
		}
	}
	a.text("]")
	a.depth--
	return nil
}

func (a *appender) object(v map[string]any) error {
	if a.depth >= maxDepth {
		return errTooDeep
	}
	a.depth++
	names := sortedNames(v)
	a.text("{")
	for i, k := range *names {
		if i > 0 {
			a.text(",")
		}
		a.dst = appendString(a.dst, k)
		a.text(":")
		if err := a.value(v[k]); err != nil {
			return err // names are the collector's
		}
	}
	a.text("}")
	returnNames(names)
	a.depth--
	return nil
}

// namesPool has room for the names of a map's members. On the stack that would
// be most of what an ack needs there, and stacks that are mostly unused are halved
// by each garbage collection: they would have to grow again for the next ack.
var namesPool = sync.Pool{New: func() any { return new([]string) }}

// maxNames is the largest room, in names, that the pool takes back.
const maxNames = 256

// sortedNames returns the names of v's members, which returnNames takes back. What it
// needs of the stack is not to be added for each map in a map.
//
//go:noinline
func sortedNames(v map[string]any) *[]string {
	room := namesPool.Get().(*[]string)
	names := (*room)[:0]
	for k := range v {
		names = append(names, k)
	}
	slices.Sort(names)
	*room = names
	return room
}

func returnNames(names *[]string) {
	if cap(*names) <= maxNames {
		clear(*names)
		namesPool.Put(names)
	}
}

// raw appends JSON text that the application made. The library reports what is wrong
// with text that is not valid.
func (a *appender) raw(text stdjson.RawMessage) (err error) {
	if text == nil {
		a.text("null")
		return nil
	}
	end, bad := skipValue(text, 0)
	if bad != nil || skipSpace(text, end) != len(text) {
		a.dst, a.att, err = a.c.libraryAppend(a.dst, a.att, text, a.depth)
		return err
	}
	a.dst = appendCompact(a.dst, text[:end])
	return nil
}

// appendCompact appends valid JSON text without its white space.
func appendCompact(dst []byte, text []byte) []byte {
	start := len(dst)
	for i := 0; i < len(text); {
		switch text[i] {
		case ' ', '\t', '\n', '\r':
			i++
		case '"':
			next := skipString(text, i)
			dst = append(dst, text[i:next]...)
			i = next
		default:
			dst = append(dst, text[i])
			i++
		}
	}
	return validText(dst, start)
}

// validText replaces invalid UTF-8 in b from start on.
func validText(b []byte, start int) []byte {
	if utf8.Valid(b[start:]) {
		return b
	}
	return append(b[:start], bytes.ToValidUTF8(b[start:], []byte("\uFFFD"))...)
}

// appendString appends s as JSON.stringify does. Bytes that are not UTF-8
// become U+FFFD.
func appendString(dst []byte, s string) []byte {
	return appendQuoted(dst, []byte(s)) // no copy: it is only read
}

// appendQuoted is appendString for bytes.
func appendQuoted(dst, s []byte) []byte {
	if plainASCII(s) {
		return append(append(append(slices.Grow(dst, len(s)+2), '"'), s...), '"')
	}
	return appendQuotedSlowly(dst, s)
}

// appendQuotedSlowly is appendQuoted of what has more than plain ASCII. It is apart
// because it needs more of the stack.
func appendQuotedSlowly(dst, s []byte) []byte {
	if !utf8.Valid(s) {
		s = replaceInvalid(s)
	}
	dst = append(slices.Grow(dst, len(s)+2), '"')
	done := 0
	for i := 0; i < len(s); {
		if !plain(s[i]) {
			dst = appendEscaped(append(dst, s[done:i]...), s[i])
			i++
			done = i
			continue
		}
		if len(s)-i < 8 {
			i++
			continue
		}
		odd := oddBytes(binary.LittleEndian.Uint64(s[i:]))
		if odd == 0 {
			i += 8
		} else {
			i += bits.TrailingZeros64(odd) / 8
		}
	}
	return append(append(dst, s[done:]...), '"')
}

// replaceInvalid returns s with U+FFFD for each byte that is not UTF-8;
// bytes.ToValidUTF8 would put one for a run of them.
func replaceInvalid(s []byte) []byte {
	valid := make([]byte, 0, len(s)+utf8.UTFMax)
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		valid, s = utf8.AppendRune(valid, r), s[n:]
	}
	return valid
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// appendFloat appends f as JSON.stringify does: the shortest text that gives it
// back, in positional notation from 1e-6 up to below 1e21.
func appendFloat(dst []byte, f float64, bits int) []byte {
	abs := math.Abs(f)
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return append(dst, "null"...)
	case f == 0:
		return append(dst, '0')
	case abs < 1<<53 && f == math.Trunc(f) && bits == 64:
		return strconv.AppendInt(dst, int64(f), 10)
	}
	if bits == 64 {
		if dst, ok := appendDecimal(dst, f); ok {
			return dst
		}
	}
	format := byte('f')
	if bits == 64 && (abs < 1e-6 || abs >= 1e21) || bits == 32 && (float32(abs) < 1e-6 || float32(abs) >= 1e21) {
		format = 'e'
	}
	dst = strconv.AppendFloat(dst, f, format, -1, bits)
	if n := len(dst); format == 'e' && dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
		dst[n-2] = dst[n-1] // e-09 is e-9 in JavaScript
		dst = dst[:n-1]
	}
	return dst
}

// appendDecimal appends a number that has up to six decimals, and no more than fifteen
// digits in all. Of so many no two decimals are the same float64, so the one that is f is
// the shortest. Like shortFloat it needs less of the stack than strconv does.
func appendDecimal(dst []byte, f float64) ([]byte, bool) {
	for decimals := 1; decimals <= 6; decimals++ {
		n := math.Round(f * tens[decimals])
		if math.Abs(n) >= 1e15 {
			break
		}
		if n/tens[decimals] == f {
			return appendScaled(dst, int64(n), decimals), true
		}
	}
	return dst, false
}

// appendScaled appends n divided by a power of ten.
func appendScaled(dst []byte, n int64, decimals int) []byte {
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	unit := int64(tens[decimals])
	dst = strconv.AppendInt(dst, n/unit, 10)
	at := len(dst)
	dst = strconv.AppendInt(dst, n%unit+unit, 10) // its first digit, 1, makes room
	dst[at] = '.'
	return dst
}
