package wire

import (
	"encoding/binary"
	"math"

	"github.com/hermod-io/hermod/socketio/parser"
)

// Value writes v. Undefined is null; as a member of v it is left out, but in
// Msgpack.
func (w *Writer) Value(v Value) {
	if v.rep != repArgs {
		v = v.scalar()
	}
	switch v.rep {
	case repNone, repNull:
		w.Null()
	case repBool:
		w.Bool(v.num == 1)
	case repInt:
		w.Int(int64(v.num))
	case repUint:
		w.Uint(v.num)
	case repFloat:
		w.Float(math.Float64frombits(v.num))
	case repDigits:
		w.next()
		w.out = w.d.AppendArgs(w.out, parser.Args{JSON: v.data})
	case repText:
		w.String(v.text)
	case repBinary:
		w.Binary(v.data)
	case repDate:
		w.Millis(int64(v.num))
	case repArgs:
		w.Args(parser.Args{JSON: v.data, Attachments: v.att})
	default:
		w.container(v)
	}
}

func (w *Writer) container(v Value) {
	if v.Kind() == List {
		w.Array(v.Len())
		for _, e := range v.Elems() {
			w.Value(e)
		}
		w.EndArray()
		return
	}
	n := 0
	for _, m := range v.Members() {
		if w.d == Msgpack || m.Kind() != Undefined {
			n++
		}
	}
	w.Map(n)
	for name, m := range v.Members() {
		if w.d == Msgpack || m.Kind() != Undefined {
			w.Key(name)
			w.Value(m)
		}
	}
	w.EndMap()
}

// appendTimestamp appends MessagePack's extension -1 in its shortest form.
func appendTimestamp(dst []byte, ms int64) []byte {
	s := ms / 1000
	if ms%1000 < 0 {
		s--
	}
	ns := uint64(ms-s*1000) * 1e6
	switch {
	case s>>34 != 0: // before 1970 too
		dst = append(dst, 0xc7, 12, 0xff)
		dst = binary.BigEndian.AppendUint32(dst, uint32(ns))
		return binary.BigEndian.AppendUint64(dst, uint64(s))
	case ns == 0 && s>>32 == 0:
		return binary.BigEndian.AppendUint32(append(dst, 0xd6, 0xff), uint32(s))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xd7, 0xff), ns<<34|uint64(s))
}
