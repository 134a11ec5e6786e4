package parser

import (
	"bytes"
	stdjson "encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Decode implements JSON.
func (c *codec) Decode(raw []byte, att [][]byte, v any) error {
	if decodeFast(raw, att, v) {
		return nil
	}
	return c.libraryDecode(raw, att, v)
}

// decodeFast decodes into the types that need no reflection. It reports whether
// it did; if not, nothing was stored.
func decodeFast(raw []byte, att [][]byte, v any) bool {
	switch v := v.(type) {
	case *string:
		if s, ok := decodeString(raw); ok && v != nil {
			*v = s
			return true
		}
	case *any:
		if v != nil && replaceable(*v) {
			if s, ok := decodeASCII(raw); ok {
				*v = s
				return true
			}
			if got, err := decodeAny(raw, att); err == nil {
				*v = got
				return true
			}
		}
	case *map[string]any:
		if v != nil && *v == nil {
			got, err := decodeAny(raw, att)
			if m, ok := got.(map[string]any); ok && err == nil {
				*v = m
				return true
			}
		}
	case *[]byte:
		if n := placeholderNum(raw); v != nil && 0 <= n && n < len(att) {
			*v = att[n]
			return true
		}
	case *stdjson.RawMessage:
		if v != nil && validValue(raw) {
			*v = bytes.Clone(raw)
			return true
		}
	case *jsontext.Value:
		if v != nil && validValue(raw) {
			*v = bytes.Clone(raw)
			return true
		}
	}
	return false
}

func validValue(raw []byte) bool {
	end, err := skipValue(raw, 0)
	return err == nil && end == len(raw) && utf8.Valid(raw)
}

// decodeASCII decodes a string of ASCII without escapes.
func decodeASCII(raw []byte) (string, bool) {
	text, end, ok := cutASCII(raw, 0)
	return text, ok && end == len(raw)
}

// cutASCII decodes a string of ASCII without escapes that begins at b[i], and returns the
// index behind it.
func cutASCII(b []byte, i int) (text string, end int, ok bool) {
	if i >= len(b) || b[i] != '"' {
		return "", 0, false
	}
	i++
	if end = endOfASCII(b, i); end == len(b) || b[end] != '"' {
		return "", 0, false
	}
	return string(b[i:end]), end + 1, true
}

// decodeString decodes a string without escapes.
func decodeString(raw []byte) (string, bool) {
	if s, ok := decodeASCII(raw); ok {
		return s, true
	}
	if len(raw) < 2 || raw[0] != '"' || skipString(raw, 0) != len(raw) {
		return "", false
	}
	s := raw[1 : len(raw)-1]
	if bytes.IndexByte(s, '\\') >= 0 || !utf8.Valid(s) {
		return "", false
	}
	return string(s), true
}

// decodeAny decodes raw to what an interface value holds.
func decodeAny(raw []byte, att [][]byte) (any, error) {
	if !utf8.Valid(raw) {
		raw = bytes.ToValidUTF8(raw, []byte("\uFFFD"))
	}
	d := anyDecoder{b: raw, att: att}
	v, err := d.value(0)
	if err == nil {
		if d.i = skipSpace(d.b, d.i); d.i != len(d.b) {
			err = errJSON
		}
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// The strings of a text are parts of copies of it, which are small: one string that is
// kept keeps the others in its copy.
const (
	maxShared = 512           // bytes of a copy
	maxSharer = maxShared / 4 // of a string that another copy is made for: longer ones are copied alone
)

// anyDecoder reads JSON text from b[i] on.
type anyDecoder struct {
	b    []byte
	att  [][]byte
	i    int
	copy string // of b from at on
	at   int
}

func (d *anyDecoder) value(depth int) (any, error) {
	if d.i = skipSpace(d.b, d.i); d.i == len(d.b) {
		return nil, errJSON
	}
	switch d.b[d.i] {
	case '{', '[':
		if depth == maxDepth {
			return nil, errDepth
		}
		if d.b[d.i] == '[' {
			return d.array(depth + 1)
		}
		if b, ok := d.placeholder(); ok {
			return b, nil
		}
		return d.object(depth + 1)
	}
	start := d.i
	end := skipScalar(d.b, start)
	if end < 0 {
		return nil, errJSON
	}
	d.i = end
	switch raw := d.b[start:end]; raw[0] {
	case '"':
		return d.unquote(start, end), nil
	case 't':
		return true, nil
	case 'f':
		return false, nil
	case 'n':
		return nil, nil
	default:
		return decodeFloat(raw)
	}
}

// placeholder takes the placeholder of an attachment, if there is one here.
func (d *anyDecoder) placeholder() ([]byte, bool) {
	n, end := placeholderAt(d.b, d.i, len(d.att))
	if end < 0 {
		return nil, false
	}
	d.i = end
	return d.att[n], true
}

func (d *anyDecoder) array(depth int) (any, error) {
	d.i++
	if d.i = skipSpace(d.b, d.i); d.i < len(d.b) && d.b[d.i] == ']' {
		d.i++
		return []any{}, nil
	}
	v := make([]any, 0, 4)
	for {
		e, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		v = append(v, e)
		if more, err := d.delim(']'); !more {
			return v, err
		}
	}
}

func (d *anyDecoder) object(depth int) (any, error) {
	v := map[string]any{}
	d.i++
	if d.i = skipSpace(d.b, d.i); d.i < len(d.b) && d.b[d.i] == '}' {
		d.i++
		return v, nil
	}
	for {
		start := skipSpace(d.b, d.i)
		if start == len(d.b) || d.b[start] != '"' {
			return nil, errJSON
		}
		end := skipString(d.b, start)
		if end < 0 {
			return nil, errJSON
		}
		name := d.unquote(start, end)
		if d.i = skipSpace(d.b, end); d.i == len(d.b) || d.b[d.i] != ':' {
			return nil, errJSON
		}
		d.i++
		e, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		v[name] = e
		if more, err := d.delim('}'); !more {
			return v, err
		}
	}
}

// delim takes a comma or the closing byte, and reports whether more follows.
func (d *anyDecoder) delim(closing byte) (more bool, err error) {
	if d.i = skipSpace(d.b, d.i); d.i == len(d.b) {
		return false, errJSON
	}
	c := d.b[d.i]
	d.i++
	switch c {
	case ',':
		return true, nil
	case closing:
		return false, nil
	}
	return false, errJSON
}

// unquote returns what the valid JSON string b[start:end] stands for.
func (d *anyDecoder) unquote(start, end int) string {
	start, end = start+1, end-1
	s := d.b[start:end]
	if bytes.IndexByte(s, '\\') >= 0 {
		return string(appendUnescaped(make([]byte, 0, len(s)), s))
	}
	if end > d.at+len(d.copy) {
		if len(s) == 0 || len(s) > maxSharer {
			return string(s)
		}
		d.at, d.copy = start, string(d.b[start:min(start+maxShared, len(d.b))])
	}
	return d.copy[start-d.at : end-d.at]
}

// decodeFloat decodes a valid JSON number.
func decodeFloat(raw []byte) (any, error) {
	if f, ok := shortFloat(raw); ok {
		return f, nil
	}
	return strconv.ParseFloat(string(raw), 64)
}

// tens are the powers of ten that shortFloat needs.
var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// shortFloat decodes a valid JSON number of up to fifteen digits without an
// exponent: the quotient of two numbers that a float64 holds, so its rounding is
// that of the division. Zeros in front count, too. It needs less of the stack than
// strconv does, and to let the stack grow costs more than the number.
func shortFloat(raw []byte) (f float64, ok bool) {
	unsigned := raw
	if raw[0] == '-' {
		unsigned = raw[1:]
	}
	if len(unsigned) > len(tens) {
		return 0, false
	}
	n, seen, decimals := uint64(0), 0, 0
	for i, c := range unsigned {
		switch {
		case isDigit(c):
			n, seen = n*10+uint64(c-'0'), seen+1
		case c == '.':
			decimals = len(unsigned) - 1 - i
		default:
			return 0, false
		}
	}
	if f = float64(n) / tens[decimals]; raw[0] == '-' {
		f = -f
	}
	return f, seen <= 15
}
