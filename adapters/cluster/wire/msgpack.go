package wire

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/tinylib/msgp/msgp"

	"github.com/hermod-io/hermod/socketio/parser"
)

// head is the beginning of an encoded value of MessagePack.
type head struct {
	kind Kind   // Undefined: an extension
	size int    // of the head
	body uint64 // bytes that follow it; of a List or Dict the number of elements or members
}

// headOf reads the head of the value that b begins with. Of an extension the last
// byte of the head is the type.
func headOf(b []byte) (h head, ok bool) {
	if len(b) == 0 {
		return head{}, false
	}
	c := b[0]
	switch {
	case c <= 0x7f || c >= 0xe0:
		return head{Number, 1, 0}, true
	case c <= 0x8f:
		return head{Dict, 1, uint64(c & 15)}, true
	case c <= 0x9f:
		return head{List, 1, uint64(c & 15)}, true
	case c <= 0xbf:
		return head{Text, 1, uint64(c & 31)}, true
	case c == 0xc0:
		return head{Null, 1, 0}, true
	case c == 0xc1:
		return head{}, false
	case c <= 0xc3:
		return head{Bool, 1, 0}, true
	case c <= 0xc6:
		return longHead(b, Binary, 1<<(c-0xc4), 0)
	case c <= 0xc9:
		return longHead(b, Undefined, 1<<(c-0xc7), 1)
	case c <= 0xcb:
		return head{Number, 1, 4 << (c - 0xca)}, true
	case c <= 0xd3:
		return head{Number, 1, 1 << ((c - 0xcc) & 3)}, true
	case c <= 0xd8:
		return head{Undefined, 2, 1 << (c - 0xd4)}, len(b) >= 2
	case c <= 0xdb:
		return longHead(b, Text, 1<<(c-0xd9), 0)
	case c <= 0xdd:
		return longHead(b, List, 2<<(c-0xdc), 0)
	}
	return longHead(b, Dict, 2<<(c-0xde), 0)
}

// longHead reads a length of so many bytes; more is what the head has behind it.
func longHead(b []byte, k Kind, bytes, more int) (h head, ok bool) {
	h = head{kind: k, size: 1 + bytes + more}
	if len(b) < h.size {
		return h, false
	}
	switch bytes {
	case 1:
		h.body = uint64(b[1])
	case 2:
		h.body = uint64(binary.BigEndian.Uint16(b[1:]))
	default:
		h.body = uint64(binary.BigEndian.Uint32(b[1:]))
	}
	return h, true
}

// skipMsgpack returns the index behind the value at b[i], which lies within depth
// containers, or why it is none.
func skipMsgpack(b []byte, i, depth int) (end int, reason string) {
	h, ok := headOf(b[i:])
	if !ok {
		return i, "truncated, or a byte that is never used"
	}
	i += h.size
	n := h.body
	switch h.kind {
	case List, Dict, Binary, Undefined: // as JSON text the last two are containers too
		if depth >= maxDepth {
			return i, "nested too deeply"
		}
	}
	if h.kind != List && h.kind != Dict {
		if n > uint64(len(b)-i) {
			return i, "truncated"
		}
		return i + int(n), ""
	}
	for ; n > 0; n-- {
		if h.kind == Dict {
			if i, reason = skipName(b, i, depth+1); reason != "" {
				return i, reason
			}
		}
		if i, reason = skipMsgpack(b, i, depth+1); reason != "" {
			return i, reason
		}
	}
	return i, ""
}

// skipName is skipMsgpack for the name of a member.
func skipName(b []byte, i, depth int) (end int, reason string) {
	h, ok := headOf(b[i:])
	switch {
	case !ok:
		return i, "truncated, or a byte that is never used"
	case h.kind == List, h.kind == Dict, h.kind == Undefined:
		return i, "map key that is no name"
	}
	return skipMsgpack(b, i, depth)
}

// next splits the first value off b, which holds valid ones.
func (d Dialect) next(b []byte) (v Value, rest []byte) {
	end, _ := skipMsgpack(b, 0, 0)
	return view(d, b[:end:end]), b[end:]
}

// binaryIn reports whether there is a binary value in b, which holds valid values.
func binaryIn(d Dialect, b []byte) bool {
	for len(b) > 0 {
		h, _ := headOf(b)
		end := h.size
		if h.kind != List && h.kind != Dict {
			end += int(h.body)
		}
		if h.kind == Binary || h.kind == Undefined && view(d, b[:end]).msgpackScalar().HasBinary() {
			return true
		}
		b = b[end:]
	}
	return false
}

// msgpackScalar returns what v, a view in a dialect of MessagePack that is neither
// an array nor a map, stands for.
func (v Value) msgpackScalar() Value {
	h, _ := headOf(v.data)
	body := v.data[h.size:]
	switch h.kind {
	case Null:
		return Nil()
	case Bool:
		return Boolean(v.data[0] == 0xc3)
	case Text:
		return String(string(body))
	case Binary:
		return Bytes(body)
	case Number:
		return msgpackNumber(v.data)
	case List, Dict:
		return v
	}
	return v.extension(int8(v.data[h.size-1]), body)
}

func msgpackNumber(b []byte) Value {
	switch msgp.NextType(b) {
	case msgp.UintType:
		n, _, _ := msgp.ReadUint64Bytes(b)
		return Uint(n)
	case msgp.Float32Type:
		f, _, _ := msgp.ReadFloat32Bytes(b)
		return Float(float64(f))
	case msgp.Float64Type:
		f, _, _ := msgp.ReadFloat64Bytes(b)
		return Float(f)
	}
	n, _, _ := msgp.ReadInt64Bytes(b)
	return Int(n)
}

// extension returns what an extension stands for, by the table at
// [parser.MsgpackForm].
func (v Value) extension(typ int8, body []byte) Value {
	fixed := v.data[0] >= 0xd4
	if typ == -1 {
		if ms, ok := parser.MsgpackTimestamp(body); ok {
			return Millis(ms)
		}
	}
	switch {
	case v.d == Msgpack:
		return Map(M("type", Int(int64(typ))), M("data", Bytes(body)))
	case typ == 0 && fixed && len(body) == 1:
		return Value{}
	case typ == 0 && fixed && len(body) == 8:
		return Millis(int64(binary.BigEndian.Uint64(body)))
	case typ == 0 && !fixed: // an ArrayBuffer
		return Bytes(body)
	}
	return Array(Int(int64(typ)), Bytes(body))
}

// msgpackName returns the name of a member as JavaScript has it.
func (v Value) msgpackName() string {
	h, _ := headOf(v.data)
	switch body := v.data[h.size:]; h.kind {
	case Text, Binary:
		return intern(body)
	case Null:
		return "null"
	case Bool:
		return strconv.FormatBool(v.data[0] == 0xc3)
	}
	return msgpackNumber(v.data).numberText()
}

// numberText is the text of a number, as JavaScript's String gives it.
func (v Value) numberText() string {
	switch v.rep {
	case repInt:
		return strconv.FormatInt(int64(v.num), 10)
	case repUint:
		return strconv.FormatUint(v.num, 10)
	case repDigits:
		if isInteger(v.data) {
			return string(v.data)
		}
	}
	switch f, _ := v.Float(); {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	default:
		return string(parser.AppendFloat(nil, f))
	}
}

func isInteger(digits []byte) bool {
	for i, c := range digits {
		if c-'0' > 9 && (i > 0 || c != '-') {
			return false
		}
	}
	return string(digits) != "-0"
}
