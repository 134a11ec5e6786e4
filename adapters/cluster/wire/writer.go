package wire

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"

	"github.com/hermod-io/hermod/socketio/parser"
)

// Writer writes one value piece by piece, without building it; it belongs to one
// goroutine. The zero Writer writes JSON to a new slice. It is for fixed messages:
// that as many elements follow as an array or a map was announced to have, and
// that a key precedes each value of a map, is for the caller to see to. Undefined
// members must not be announced in JSON and Notepack, see [Writer.Value].
//
//	w := wire.NewWriter(buf, wire.Notepack)
//	w.Array(2)
//	w.String(uid)
//	w.Map(2)
//	w.Key("type")
//	w.Int(2)
//	w.Key("data")
//	w.Args(args)
//	w.EndMap()
//	w.EndArray()
//	buf = w.Bytes()
type Writer struct {
	out   []byte
	d     Dialect
	comma bool // JSON: an element stands before this place
	// texts writes the text of Args: binary values become placeholders.
	texts bool
	att   [][]byte
}

// NewWriter returns a Writer that appends to dst.
func NewWriter(dst []byte, d Dialect) Writer { return Writer{out: dst, d: d} }

// Bytes returns what was written, dst included.
func (w *Writer) Bytes() []byte { return w.out }

// next begins a value or a key.
func (w *Writer) next() {
	if w.comma {
		w.out = append(w.out, ',')
	}
	w.comma = w.d == JSON
}

// Array begins an array of n elements.
func (w *Writer) Array(n int) {
	w.next()
	if w.comma = false; w.d == JSON {
		w.out = append(w.out, '[')
	} else {
		w.out = msgp.AppendArrayHeader(w.out, uint32(n))
	}
}

// EndArray ends an array.
func (w *Writer) EndArray() { w.end(']') }

// Map begins a map of n members.
func (w *Writer) Map(n int) {
	w.next()
	if w.comma = false; w.d == JSON {
		w.out = append(w.out, '{')
	} else {
		w.out = msgp.AppendMapHeader(w.out, uint32(n))
	}
}

// EndMap ends a map.
func (w *Writer) EndMap() { w.end('}') }

func (w *Writer) end(closing byte) {
	if w.d == JSON {
		w.out, w.comma = append(w.out, closing), true
	}
}

// Key begins a member of a map; its value follows.
func (w *Writer) Key(name string) {
	if w.texts && name == "_placeholder" {
		w.next()
		w.out = append(w.out, `"\u005fplaceholder"`...) // not one of ours
	} else {
		w.String(name)
	}
	if w.d == JSON {
		w.out, w.comma = append(w.out, ':'), false
	}
}

// Null writes null.
func (w *Writer) Null() {
	w.next()
	if w.d == JSON {
		w.out = append(w.out, "null"...)
	} else {
		w.out = msgp.AppendNil(w.out)
	}
}

// Bool writes true or false.
func (w *Writer) Bool(b bool) {
	w.next()
	if w.d == JSON {
		w.out = strconv.AppendBool(w.out, b)
	} else {
		w.out = msgp.AppendBool(w.out, b)
	}
}

// Int writes a number.
func (w *Writer) Int(n int64) {
	switch {
	case w.d != JSON && n >= 0:
		w.Uint(uint64(n))
		return
	case w.d == Msgpack && n < -maxSafe && int64(float64(n)) == n:
		w.float(float64(n))
		return
	}
	w.next()
	if w.d == JSON {
		w.out = strconv.AppendInt(w.out, n, 10)
	} else {
		w.out = msgp.AppendInt64(w.out, n)
	}
}

// Uint writes a number.
func (w *Writer) Uint(n uint64) {
	w.next()
	switch {
	case w.d == JSON:
		w.out = strconv.AppendUint(w.out, n, 10)
	case w.d == Msgpack && n > maxSafe && float64(n) < 1<<64 && uint64(float64(n)) == n:
		w.out = msgp.AppendFloat64(w.out, float64(n))
	default:
		w.out = msgp.AppendUint64(w.out, n)
	}
}

// maxSafe is the last of the integers of which a float holds each.
const maxSafe = 1<<53 - 1

// Float writes a number: an integer if it is one.
func (w *Writer) Float(f float64) {
	limit := float64(1 << 64)
	if w.d == Msgpack {
		limit = 1 << 53
	}
	switch {
	case w.d == JSON:
		w.next()
		w.out = parser.AppendFloat(w.out, f)
	case f != math.Trunc(f) || f >= limit || f <= -limit || f < -1<<63:
		w.float(f)
	case f >= 0:
		w.Uint(uint64(f))
	default:
		w.Int(int64(f))
	}
}

// float writes a float of MessagePack; NaN is JavaScript's.
func (w *Writer) float(f float64) {
	w.next()
	bits := math.Float64bits(f)
	if f != f {
		bits = 0x7ff8000000000000
	}
	w.out = msgp.AppendFloat64(w.out, math.Float64frombits(bits))
}

// String writes a string.
func (w *Writer) String(s string) {
	w.next()
	if w.d == JSON {
		w.out = parser.AppendString(w.out, s)
		return
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	w.out = msgp.AppendString(w.out, s)
}

// Strings writes an array of strings.
func (w *Writer) Strings(ss []string) {
	w.Array(len(ss))
	for _, s := range ss {
		w.String(s)
	}
	w.EndArray()
}

// Binary writes a binary value.
func (w *Writer) Binary(b []byte) {
	w.next()
	switch {
	case w.texts:
		w.out = strconv.AppendInt(append(w.out, `{"_placeholder":true,"num":`...), int64(len(w.att)), 10)
		w.out, w.att = append(w.out, '}'), append(w.att, b)
	case w.d == JSON:
		w.out = parser.AppendBuffer(w.out, b)
	default:
		w.out = msgp.AppendBytes(w.out, b)
	}
}

// Millis writes a Date, in milliseconds since 1970.
func (w *Writer) Millis(ms int64) {
	w.next()
	const limit = 8.64e15
	switch {
	case w.d == JSON:
		w.out = parser.AppendDate(w.out, ms)
	case ms < -limit || ms > limit:
		w.out = msgp.AppendNil(w.out)
	default:
		w.out = appendTimestamp(w.out, ms)
	}
}

// Args writes the arguments a, see [Dialect.AppendArgs].
func (w *Writer) Args(a parser.Args) {
	w.next()
	switch {
	case !w.texts || len(a.JSON) == 0:
		w.out = w.d.AppendArgs(w.out, a)
	case len(a.Attachments) == 0: // what looks like a placeholder is data
		w.out = append(w.out, bytes.ReplaceAll(a.JSON, []byte(`"_placeholder"`), []byte(`"\u005fplaceholder"`))...)
	default:
		w.out = a.AppendJSON(w.out, func(dst, b []byte) []byte {
			dst = strconv.AppendInt(append(dst, `{"_placeholder":true,"num":`...), int64(len(w.att)), 10)
			w.att = append(w.att, b)
			return append(dst, '}')
		})
	}
}
