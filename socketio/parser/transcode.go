package parser

import (
	"bytes"
	"strconv"

	"github.com/tinylib/msgp/msgp"
)

// What stands here is for codecs beside this package, such as those in which the
// nodes of a cluster write their messages.

// MsgpackForm tells apart the encodings of JavaScript values as MessagePack.
type MsgpackForm uint8

// The forms of MessagePack. They are written alike, but for integers beyond
// 2^53-1, of which MsgpackJS writes floats (unless a float would be another
// number). When read, they differ in the extensions:
//
//	          type 0                        type -1, a timestamp   others
//	Notepack2 as at [MsgPack]               [type, binary value]   [type, binary value]
//	Notepack3 as at [MsgPack]               as a Date at MsgPack   [type, binary value]
//	MsgpackJS as others                     as a Date at MsgPack   {"type":type,"data":binary value}
const (
	// Notepack2 is what [MsgPack] writes and reads: npm notepack.io 2.
	Notepack2 MsgpackForm = iota
	// Notepack3 is npm notepack.io 3.
	Notepack3
	// MsgpackJS is npm @msgpack/msgpack 2.8.
	MsgpackJS
)

// AppendMsgpack appends what the JSON text of a means as MessagePack, with the
// binary values in the places of their placeholders. The text may be that of any
// one value; nil or invalid text gives nil. It allocates nothing beyond dst for
// arrays and maps of at most 15 elements. See [MsgPack] for the mapping.
func AppendMsgpack(dst []byte, form MsgpackForm, a Args) []byte {
	p := packer{in: a.JSON, att: a.Attachments, out: dst, form: form}
	if !p.value(0) || skipSpace(p.in, p.pos) != len(p.in) {
		return msgp.AppendNil(p.out[:len(dst)])
	}
	p.widen()
	return p.out
}

// AppendMsgpackText appends the JSON text of the MessagePack value that in begins
// with to dst, its binary values to att (copies; at most maxAttachments in all),
// and returns both extended and what follows the value in in. After an error,
// which is an [*Error], it returns dst and att as they were. The text is at most
// six times as long as the value, but for binary values and for extensions. See
// [MsgPack] for the mapping.
func AppendMsgpackText(dst []byte, att [][]byte, form MsgpackForm, in []byte, maxAttachments int) (text []byte, attachments [][]byte, rest []byte, err error) {
	u := unpacker{in: in, out: dst, att: att, maxAttachments: maxAttachments, form: form}
	if u.undefined() {
		return append(dst, "null"...), att, u.in, nil
	}
	// The array of the arguments does not count.
	if err := u.value(-1); err != nil {
		return dst, att, in, err
	}
	return u.out, u.att, u.in, nil
}

// AppendJSON appends the JSON text of a to dst, with what binary appends for each
// binary value in the place of its placeholder. Without attachments it is a copy.
func (a Args) AppendJSON(dst []byte, binary func(dst, value []byte) []byte) []byte {
	b, done := a.JSON, 0
	for i := 0; i < len(b) && len(a.Attachments) > 0; {
		switch b[i] {
		case '"':
			if i = skipString(b, i); i < 0 {
				return append(dst, b[done:]...)
			}
			continue
		case '{':
			if n, end := placeholderAt(b, i, len(a.Attachments)); end > 0 {
				dst = binary(append(dst, b[done:i]...), a.Attachments[n])
				i, done = end, end
				continue
			}
		}
		i++
	}
	return append(dst, b[done:]...)
}

// First returns the first element of a, as the text of that one value; ok is
// false if there is none. The attachments are those of a, or none if no
// placeholder stands in the element. Nothing is copied.
func (a Args) First() (first Args, ok bool) {
	raw := a.Raw(0)
	if raw == nil {
		return Args{}, false
	}
	first.JSON = raw
	// Within a string the quotes of this would be escaped.
	if len(a.Attachments) > 0 && bytes.Contains(raw, []byte(placeholderHead)) {
		first.Attachments = a.Attachments
	}
	return first, true
}

// SkipJSON returns the index behind the JSON value that begins at b[i], after
// white space. It checks the grammar, not the encoding of text; arrays and objects
// may nest 1000 deep. An error is an [*Error].
func SkipJSON(b []byte, i int) (end int, err error) {
	end, bad := skipValue(b, i)
	if bad != nil {
		return i, bad
	}
	return end, nil
}

// AppendUnquoted appends the text that raw, a valid JSON string with its quotes,
// stands for. A surrogate without its partner becomes U+FFFD.
func AppendUnquoted(dst, raw []byte) []byte {
	return appendUnescaped(dst, raw[1:len(raw)-1])
}

// AppendString appends s as JSON.stringify does. Bytes that are not UTF-8 become
// U+FFFD.
func AppendString(dst []byte, s string) []byte { return appendString(dst, s) }

// AppendFloat appends f as JSON.stringify does: the shortest text that gives it
// back; NaN and infinities are null, -0 is 0.
func AppendFloat(dst []byte, f float64) []byte { return appendFloat(dst, f, 64) }

// AppendBuffer appends what the toJSON of a Buffer of Node gives, an object.
func AppendBuffer(dst, b []byte) []byte {
	dst = append(dst, `{"type":"Buffer","data":[`...)
	for i, c := range b {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendUint(dst, uint64(c), 10)
	}
	return append(dst, "]}"...)
}

// AppendDate appends a Date as its toJSON gives it, a JSON string; ms is since
// 1970. Out of the range of dates it is null.
func AppendDate(dst []byte, ms int64) []byte { return appendDate(dst, ms) }
