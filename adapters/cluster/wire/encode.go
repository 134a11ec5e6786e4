package wire

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/tinylib/msgp/msgp"

	"github.com/hermod-io/hermod/socketio/parser"
)

// Value writes v. Undefined is null; as a member of v it is left out, but in
// Msgpack.
func (w *Writer) Value(v Value) {
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
	case repView:
		if v.d == JSON {
			w.Args(parser.Args{JSON: v.data})
		} else {
			w.view(v.d, v.data)
		}
	case repList:
		w.Array(len(v.list))
		for _, e := range v.list {
			w.Value(e)
		}
		w.EndArray()
	case repDict:
		w.members(v.members)
	}
}

func (w *Writer) members(ms []Member) {
	n := 0
	for i := range ms {
		if w.d == Msgpack || ms[i].Value.Kind() != Undefined {
			n++
		}
	}
	w.Map(n)
	for i := range ms {
		if w.d == Msgpack || ms[i].Value.Kind() != Undefined {
			w.Key(ms[i].Name)
			w.Value(ms[i].Value)
		}
	}
	w.EndMap()
}

// view writes the value that b, valid in a dialect of MessagePack, begins with,
// and returns what follows it. It looks at each byte once, however deep it lies.
func (w *Writer) view(d Dialect, b []byte) (rest []byte) {
	h, _ := headOf(b)
	switch h.kind {
	case List:
		w.Array(int(h.body))
		rest = b[h.size:]
		for range h.body {
			rest = w.view(d, rest)
		}
		w.EndArray()
		return rest
	case Dict:
		return w.viewMembers(d, b[h.size:], int(h.body))
	}
	end := h.size + int(h.body)
	w.Value(view(d, b[:end]).msgpackScalar())
	return b[end:]
}

func (w *Writer) viewMembers(d Dialect, b []byte, n int) (rest []byte) {
	w.Map(n)
	begin, written := len(w.out), n
	for range n {
		h, _ := headOf(b)
		end := h.size + int(h.body)
		name := view(d, b[:end]).msgpackName()
		b = b[end:]
		if d == Notepack && w.d != Msgpack && bytes.HasPrefix(b, undefined) {
			b = b[len(undefined):]
			written--
			continue
		}
		w.Key(name)
		b = w.view(d, b)
	}
	if written < n && w.d != JSON {
		body := w.out[begin:]
		w.out = msgp.AppendMapHeader(w.out[:begin-mapHeader(n)], uint32(written))
		w.out = append(w.out, body...) // towards the front, if at all
	}
	w.EndMap()
	return b
}

// undefined is what old versions of notepack.io write for it.
var undefined = []byte{0xd4, 0, 0}

// mapHeader is the length of the header of a map of n members.
func mapHeader(n int) int {
	switch {
	case n < 16:
		return 1
	case n <= math.MaxUint16:
		return 3
	}
	return 5
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
