package wire

import (
	"bytes"
	"iter"
	"math"
	"strconv"

	"github.com/hermod-io/hermod/socketio/parser"
)

// Kind returns the type of v.
func (v Value) Kind() Kind {
	switch v.rep {
	case repNone:
		return Undefined
	case repNull:
		return Null
	case repBool:
		return Bool
	case repText:
		return Text
	case repBinary:
		return Binary
	case repDate:
		return Date
	case repList:
		return List
	case repDict:
		return Dict
	case repView, repArgs:
		return v.viewKind()
	}
	return Number
}

func (v Value) viewKind() Kind {
	if v.d != JSON {
		h, _ := headOf(v.data)
		if h.kind == Undefined {
			return v.msgpackScalar().Kind()
		}
		return h.kind
	}
	switch v.data[0] {
	case '"':
		return Text
	case '[':
		return List
	case '{':
		if len(v.att) > 0 && v.placeholder() >= 0 {
			return Binary
		}
		return Dict
	case 'n':
		return Null
	case 't', 'f':
		return Bool
	}
	return Number
}

// placeholder returns the number of the binary value that v, the text of an
// object, stands for, or -1.
func (v Value) placeholder() int {
	digits, found := bytes.CutPrefix(v.data, []byte(placeholderHead))
	if n, err := strconv.Atoi(string(bytes.TrimSuffix(digits, []byte("}")))); found && err == nil && n < len(v.att) {
		return n
	}
	return -1
}

// placeholderHead begins a placeholder, see [parser.Args].
const placeholderHead = `{"_placeholder":true,"num":`

// scalar returns v, but of a view that is neither array nor map what it stands
// for.
func (v Value) scalar() Value {
	switch {
	case v.rep != repView && v.rep != repArgs:
		return v
	case v.d != JSON:
		return v.msgpackScalar()
	}
	switch v.viewKind() {
	case Null:
		return Nil()
	case Bool:
		return Boolean(v.data[0] == 't')
	case Text:
		return String(unquote(v.data))
	case Binary:
		return Bytes(v.att[v.placeholder()])
	case Number:
		return Value{rep: repDigits, data: v.data}
	}
	return v
}

// Str returns a string, or the text of a number, as JavaScript's String does:
// names of rooms are numbers now and then. Of other values it is empty.
func (v Value) Str() string {
	switch v = v.scalar(); v.Kind() {
	case Text:
		return v.text
	case Number:
		return v.numberText()
	}
	return ""
}

// Strings returns the elements of an array that are strings or numbers, as Str has
// them. It is nil if there are none.
func (v Value) Strings() (ss []string) {
	for _, e := range v.Elems() {
		if k := e.Kind(); k == Text || k == Number {
			ss = append(ss, e.Str())
		}
	}
	return ss
}

// Int returns a number; ok is false if v is none, or not an integer of 64 bits.
func (v Value) Int() (n int64, ok bool) {
	switch v = v.scalar(); v.rep {
	case repInt:
		return int64(v.num), true
	case repDigits:
		if n, err := strconv.ParseInt(string(v.data), 10, 64); err == nil {
			return n, true
		}
	case repFloat:
	default:
		return 0, false
	}
	f, _ := v.Float()
	if f != math.Trunc(f) || f < -1<<63 || f >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

// Float returns a number; ok is false if v is none.
func (v Value) Float() (f float64, ok bool) {
	switch v = v.scalar(); v.rep {
	case repInt:
		return float64(int64(v.num)), true
	case repUint:
		return float64(v.num), true
	case repFloat:
		return math.Float64frombits(v.num), true
	case repDigits:
		f, _ = strconv.ParseFloat(string(v.data), 64) // out of range: infinite
		return f, true
	}
	return 0, false
}

// True reports whether v is true, and not merely what JavaScript takes for it.
func (v Value) True() bool {
	v = v.scalar()
	return v.rep == repBool && v.num == 1
}

// Bin returns a binary value, which aliases the message; ok is false if v is none.
func (v Value) Bin() (b []byte, ok bool) {
	v = v.scalar()
	return v.data, v.rep == repBinary
}

// Millis returns a Date, in milliseconds since 1970; ok is false if v is none.
func (v Value) Millis() (ms int64, ok bool) {
	v = v.scalar()
	return int64(v.num), v.rep == repDate
}

// HasBinary reports whether there is a binary value in v. See [HasBinary].
func (v Value) HasBinary() bool {
	switch v.rep {
	case repBinary:
		return true
	case repArgs:
		return len(v.att) > 0
	case repView:
		return v.d != JSON && binaryIn(v.d, v.data)
	}
	for i := range v.list {
		if v.list[i].HasBinary() {
			return true
		}
	}
	for i := range v.members {
		if v.members[i].Value.HasBinary() {
			return true
		}
	}
	return false
}

// Len returns the number of elements of an array or of members of a map.
func (v Value) Len() (n int) {
	if v.Kind() == List {
		for range v.Elems() {
			n++
		}
		return n
	}
	for range v.Members() {
		n++
	}
	return n
}

// At returns element i of an array, undefined if there is none.
func (v Value) At(i int) Value {
	for j, e := range v.Elems() {
		if j == i {
			return e
		}
	}
	return Value{}
}

// Get returns the member of a map with this name, the last if there are several;
// undefined if there is none. It looks at all members.
func (v Value) Get(name string) (found Value) {
	for n, m := range v.Members() {
		if n == name {
			found = m
		}
	}
	return found
}

// Elems iterates over the elements of an array; of other values there are none.
func (v Value) Elems() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		if v = v.scalar(); v.Kind() != List {
			return
		}
		if v.rep == repList {
			for i, e := range v.list {
				if !yield(i, e) {
					return
				}
			}
			return
		}
		if v.d == JSON {
			v.jsonElems(func(i int, _ []byte, e Value) bool { return yield(i, e) })
			return
		}
		h, _ := headOf(v.data)
		rest := v.data[h.size:]
		for i := range int(h.body) {
			var e Value
			if e, rest = v.d.next(rest); !yield(i, e) {
				return
			}
		}
	}
}

// Members iterates over the members of a map, in order; of other values there are
// none.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v = v.scalar(); v.Kind() != Dict {
			return
		}
		if v.rep == repDict {
			for _, m := range v.members {
				if !yield(m.Name, m.Value) {
					return
				}
			}
			return
		}
		if v.d == JSON {
			v.jsonElems(func(_ int, name []byte, m Value) bool { return yield(jsonName(name), m) })
			return
		}
		h, _ := headOf(v.data)
		rest := v.data[h.size:]
		for range h.body {
			var name, m Value
			name, rest = v.d.next(rest)
			if m, rest = v.d.next(rest); !yield(name.msgpackName(), m) {
				return
			}
		}
	}
}

// jsonElems yields the elements or members of an array or object in JSON.
func (v Value) jsonElems(yield func(i int, name []byte, e Value) bool) {
	b, object := v.data, v.data[0] == '{'
	pos := skipSpace(b, 1)
	if b[pos] == '}' || b[pos] == ']' {
		return
	}
	for i := 0; ; i++ {
		var name []byte
		if object {
			pos = skipSpace(b, pos)
			end, _ := parser.SkipJSON(b, pos)
			name = b[pos:end]
			pos = skipSpace(b, end) + 1
		}
		pos = skipSpace(b, pos)
		end, err := parser.SkipJSON(b, pos)
		if err != nil {
			return
		}
		e := v
		if e.data = b[pos:end:end]; !yield(i, name, e) {
			return
		}
		if pos = skipSpace(b, end); b[pos] != ',' {
			return
		}
		pos++
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

func unquote(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	return string(parser.AppendUnquoted(make([]byte, 0, len(raw)), raw))
}

func jsonName(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return intern(raw[1 : len(raw)-1])
	}
	return unquote(raw)
}

// intern returns b as a string, without an allocation for the names of which
// messages are made.
func intern(b []byte) string {
	for _, name := range [...]string{
		"uid", "nsp", "type", "data", "packet", "opts", "rooms", "except", "flags", "requestId", "id",
		"clientCount", "sockets", "handshake", "close", "timeout", "volatile", "compress", "expectSingleResponse",
	} {
		if string(b) == name {
			return name
		}
	}
	return string(b)
}
