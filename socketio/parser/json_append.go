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

// append encodes the types that need no reflection, and leaves the others to
// the library.
func (c *codec) append(dst []byte, att [][]byte, v any, depth int) ([]byte, [][]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), att, nil
	case string:
		return appendString(dst, v), att, nil
	case bool:
		return strconv.AppendBool(dst, v), att, nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), att, nil
	case int32:
		return strconv.AppendInt(dst, int64(v), 10), att, nil
	case int64:
		return strconv.AppendInt(dst, v, 10), att, nil
	case time.Duration:
		return strconv.AppendInt(dst, int64(v), 10), att, nil
	case uint:
		return strconv.AppendUint(dst, uint64(v), 10), att, nil
	case uint32:
		return strconv.AppendUint(dst, uint64(v), 10), att, nil
	case uint64:
		return strconv.AppendUint(dst, v, 10), att, nil
	case float64:
		return appendFloat(dst, v, 64), att, nil
	case float32:
		return appendFloat(dst, float64(v), 32), att, nil
	case []byte:
		if v == nil {
			return append(dst, "null"...), att, nil
		}
		return appendPlaceholder(dst, len(att)), append(att, v), nil
	case stdjson.RawMessage:
		return c.appendRaw(dst, att, v, depth)
	case jsontext.Value:
		return c.appendRaw(dst, att, stdjson.RawMessage(v), depth)
	case []any:
		return c.appendSlice(dst, att, v, depth)
	case map[string]any:
		return c.appendMap(dst, att, v, depth)
	}
	return c.libraryAppend(dst, att, v, depth)
}

func (c *codec) appendSlice(dst []byte, att [][]byte, v []any, depth int) (_ []byte, _ [][]byte, err error) {
	if depth >= maxDepth {
		return dst, att, errTooDeep
	}
	dst = append(dst, '[')
	for i, e := range v {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, att, err = c.append(dst, att, e, depth+1); err != nil {
			return dst, att, err
		}
	}
	return append(dst, ']'), att, nil
}

func (c *codec) appendMap(dst []byte, att [][]byte, v map[string]any, depth int) (_ []byte, _ [][]byte, err error) {
	if depth >= maxDepth {
		return dst, att, errTooDeep
	}
	names := sortedNames(v)
	defer returnNames(names)
	dst = append(dst, '{')
	for i, k := range *names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, k), ':')
		if dst, att, err = c.append(dst, att, v[k], depth+1); err != nil {
			return dst, att, err
		}
	}
	return append(dst, '}'), att, nil
}

// namesPool has room for the names of a map's members. On the stack that would
// be most of what an ack needs there, and stacks that are mostly unused are halved
// by each garbage collection: they would have to grow again for the next ack.
var namesPool = sync.Pool{New: func() any { return new([]string) }}

// maxNames is the largest room, in names, that the pool takes back.
const maxNames = 256

// sortedNames returns the names of v's members, which returnNames takes back.
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

// appendRaw appends JSON text that the application made. The library reports
// what is wrong with text that is not valid.
func (c *codec) appendRaw(dst []byte, att [][]byte, raw stdjson.RawMessage, depth int) ([]byte, [][]byte, error) {
	if raw == nil {
		return append(dst, "null"...), att, nil
	}
	end, bad := skipValue(raw, 0)
	if bad != nil || skipSpace(raw, end) != len(raw) {
		return c.libraryAppend(dst, att, raw, depth)
	}
	start := len(dst)
	for i := 0; i < end; {
		switch raw[i] {
		case ' ', '\t', '\n', '\r':
			i++
		case '"':
			next := skipString(raw, i)
			dst = append(dst, raw[i:next]...)
			i = next
		default:
			dst = append(dst, raw[i])
			i++
		}
	}
	return validText(dst, start), att, nil
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
