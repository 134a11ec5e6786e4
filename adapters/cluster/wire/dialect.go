package wire

import (
	"bytes"
	"unicode/utf8"

	"github.com/hermod-io/hermod/socketio/parser"
)

// Dialect is an encoding of values. Its methods may be called from any goroutine.
type Dialect uint8

// The dialects.
const (
	// JSON is the output of JSON.stringify.
	JSON Dialect = iota
	// Notepack is that of notepack.io 3, the default of the classic Redis adapter.
	Notepack
	// Msgpack is that of @msgpack/msgpack 2.8, which the streams adapter uses.
	Msgpack
)

const (
	maxDepth       = 1000
	maxAttachments = 1 << 16
)

// String returns the name in lower case, for logs.
func (d Dialect) String() string {
	switch d {
	case JSON:
		return "json"
	case Notepack:
		return "notepack"
	case Msgpack:
		return "msgpack"
	}
	return "unknown"
}

// form is the name of a dialect of MessagePack in package parser.
func (d Dialect) form() parser.MsgpackForm {
	if d == Msgpack {
		return parser.MsgpackJS
	}
	return parser.Notepack3
}

// Error is a message that is not valid in its dialect: the sender's fault.
type Error struct {
	// Dialect is the one that was asked for.
	Dialect Dialect
	// Reason says what is wrong, in a few words, without data of the message.
	Reason string
}

// Error implements error.
func (e *Error) Error() string { return "wire: invalid " + e.Dialect.String() + ": " + e.Reason }

// Append appends v to dst. Strings that are not UTF-8 get U+FFFD for what is not.
func (d Dialect) Append(dst []byte, v Value) []byte {
	w := NewWriter(dst, d)
	w.Value(v)
	return w.Bytes()
}

// AppendArgs appends the arguments a, an array, or whatever one value its text is;
// nil text is null. It allocates nothing beyond dst, unless the dialect is one of
// MessagePack and an array or map has more than 15 elements.
func (d Dialect) AppendArgs(dst []byte, a parser.Args) []byte {
	switch {
	case d != JSON:
		return parser.AppendMsgpack(dst, d.form(), a)
	case len(a.JSON) == 0:
		return append(dst, "null"...)
	}
	return a.AppendJSON(dst, parser.AppendBuffer)
}

// Decode checks msg and returns a view of it. The value and those it yields alias
// msg, which must not change as long as they are used; what [Value.Args] and
// [Value.Str] return is copied. The error is an [*Error].
func (d Dialect) Decode(msg []byte) (Value, error) {
	if d == JSON {
		if !utf8.Valid(msg) {
			msg = bytes.ToValidUTF8(msg, []byte("\uFFFD"))
		}
		end, err := parser.SkipJSON(msg, 0)
		if err != nil || skipSpace(msg, end) != len(msg) {
			return Value{}, &Error{d, "not one JSON value"}
		}
		return view(d, msg[skipSpace(msg, 0):end]), nil
	}
	end, reason := skipMsgpack(msg, 0, 0)
	if reason == "" && end != len(msg) {
		reason = "bytes after the value"
	}
	if reason != "" {
		return Value{}, &Error{d, reason}
	}
	return view(d, msg), nil
}

// HasBinary reports whether a holds binary values: a message with such arguments
// is not written as JSON by the adapters that choose.
func HasBinary(a parser.Args) bool { return len(a.Attachments) > 0 }
