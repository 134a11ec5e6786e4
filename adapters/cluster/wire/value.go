package wire

import (
	"math"

	"github.com/hermod-io/hermod/socketio/parser"
)

// Kind is the type of a value.
type Kind uint8

// The kinds of values.
const (
	Undefined Kind = iota // not there: the zero Value, and what Get and At do not find
	Null                  // null
	Bool                  // true or false
	Number                // an integer of 64 bits, or a float
	Text                  // a string
	Binary                // bytes
	Date                  // a time in milliseconds
	List                  // an array
	Dict                  // a map with ordered members, named by strings
)

// rep is how a value is held.
type rep uint8

const (
	repNone rep = iota
	repNull
	repBool   // num is 1 for true
	repInt    // num is an int64
	repUint   // num is a uint64, beyond int64
	repFloat  // num holds the bits
	repDigits // data is a JSON number
	repText   // text
	repBinary // data
	repDate   // num is an int64, in milliseconds
	repList
	repDict
	repArgs // data is JSON text, with att
	repView // data is encoded in dialect d
)

// Value is a value of JavaScript: one that a constructor made, or a view of an
// encoded message. Values are immutable; the zero Value is undefined. What they
// were made from (slices) must not change as long as they are used.
type Value struct {
	rep     rep
	d       Dialect
	num     uint64
	text    string
	data    []byte
	att     [][]byte
	list    []Value
	members []Member
}

// Member is a member of a map.
type Member struct {
	Name  string // not unique, see [Value.Get]
	Value Value  // undefined ones are left out where the dialect can
}

// M returns a member of a map.
func M(name string, v Value) Member { return Member{name, v} }

// Nil returns null.
func Nil() Value { return Value{rep: repNull} }

// Boolean returns true or false.
func Boolean(b bool) Value {
	if b {
		return Value{rep: repBool, num: 1}
	}
	return Value{rep: repBool}
}

// Int returns a number.
func Int(n int64) Value { return Value{rep: repInt, num: uint64(n)} }

// Uint returns a number.
func Uint(n uint64) Value {
	if n>>63 == 0 {
		return Int(int64(n))
	}
	return Value{rep: repUint, num: n}
}

// Float returns a number. One that is an integer is written as such.
func Float(f float64) Value { return Value{rep: repFloat, num: math.Float64bits(f)} }

// String returns a string.
func String(s string) Value { return Value{rep: repText, text: s} }

// Bytes returns a binary value. b is not copied.
func Bytes(b []byte) Value { return Value{rep: repBinary, data: b} }

// Millis returns a Date, in milliseconds since 1970.
func Millis(ms int64) Value { return Value{rep: repDate, num: uint64(ms)} }

// Array returns an array. Its elements may be undefined. vs is not copied.
func Array(vs ...Value) Value { return Value{rep: repList, list: vs} }

// Strings returns an array of strings. It is empty for nil.
func Strings(ss []string) Value {
	list := make([]Value, len(ss))
	for i, s := range ss {
		list[i] = String(s)
	}
	return Array(list...)
}

// Map returns a map with these members, in this order. Members may be undefined.
// ms is not copied.
func Map(ms ...Member) Value { return Value{rep: repDict, members: ms} }

// Args returns the value that the JSON text of a is: the array of the arguments,
// for those of a packet. nil text is undefined. a is not copied, and not looked
// into before the value is encoded or read.
func Args(a parser.Args) Value {
	if len(a.JSON) == 0 {
		return Value{}
	}
	return Value{rep: repArgs, data: a.JSON, att: a.Attachments}
}

// First returns the first of the arguments a, undefined if there is none: what
// the official adapters send of an ack.
func First(a parser.Args) Value {
	first, _ := a.First()
	return Args(first)
}

// Raw returns what v is in the message that it was read from, a part of that; nil
// if v was made otherwise.
func (v Value) Raw() []byte {
	if v.rep != repView {
		return nil
	}
	return v.data
}

// view returns the value that raw, which is valid in d, stands for.
func view(d Dialect, raw []byte) Value { return Value{rep: repView, d: d, data: raw} }
