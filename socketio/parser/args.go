package parser

import (
	"bytes"
	"iter"
)

// Len reports the number of elements, the event name included. It reads the
// whole text.
func (a Args) Len() int {
	n := 0
	for range a.All() {
		n++
	}
	return n
}

// Raw returns the JSON text of element i, which aliases a.JSON, or nil if there
// is none. Element 0 of an event is its name. It reads the text up to the
// element.
func (a Args) Raw(i int) []byte {
	for j, raw := range a.All() {
		if j == i {
			return raw
		}
	}
	return nil
}

// All iterates over the elements and their JSON text, which aliases a.JSON.
// Where a.JSON is not a JSON array the iteration ends.
func (a Args) All() iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		b := a.JSON
		if len(b) == 0 || b[0] != '[' {
			return
		}
		for i, pos := 0, 1; ; i++ {
			raw, after, ok := nextElement(b, pos)
			if !ok || !yield(i, raw) {
				return
			}
			pos = after
		}
	}
}

// nextElement returns the element of an array that begins at b[pos], after white space,
// and where the one after it begins, which is at the end of b if there is none.
func nextElement(b []byte, pos int) (raw []byte, after int, ok bool) {
	if pos = skipSpace(b, pos); pos == len(b) {
		return nil, pos, false
	}
	end, err := skipValue(b, pos)
	if err != nil {
		return nil, len(b), false
	}
	return b[pos:end:end], behindComma(b, end), true
}

// behindComma returns where the element after the one that ends at b[end] begins, or
// the end of b.
func behindComma(b []byte, end int) int {
	if end = skipSpace(b, end); end < len(b) && b[end] == ',' {
		return end + 1
	}
	return len(b)
}

// Values decodes the elements from the one with index from on, each as j decodes into
// an interface value: with DefaultJSON a string is a copy, a []byte the attachment itself.
// There are none, and no error, where a.JSON is no array; where it breaks off they end.
// With an error of j it returns those before the one that j refused.
func (a Args) Values(j JSON, from int) (vs []any, err error) {
	b := a.JSON
	if len(b) == 0 || b[0] != '[' {
		return nil, nil
	}
	c, ours := j.(*codec)
	for i, pos := 0, 1; ; i++ {
		if ours && i >= from {
			if text, end, ok := cutASCII(b, pos); ok {
				vs, pos = append(vs, text), behindComma(b, end)
				continue
			}
		}
		raw, after, ok := nextElement(b, pos)
		if !ok {
			return vs, nil
		}
		if pos = after; i < from {
			continue
		}
		n := len(vs)
		vs = append(vs, nil)
		if !ours {
			err = j.Decode(raw, a.Attachments, &vs[n])
		} else if vs[n], err = decodeAny(raw, a.Attachments); err != nil {
			err = c.libraryDecode(raw, a.Attachments, &vs[n]) // as Decode, which needs more of the stack before
		}
		if err != nil {
			return vs[:n], err
		}
	}
}

// EventName returns the name of an event: the text of its first element if that
// is a string, or the digits if it is a number. It aliases a.JSON unless the
// string has escapes. ok is false if there is no such element.
func (a Args) EventName() (name []byte, ok bool) {
	b := a.JSON
	if len(b) == 0 || b[0] != '[' {
		return nil, false
	}
	i := skipSpace(b, 1)
	if i == len(b) || b[i] != '"' && b[i] != '-' && !isDigit(b[i]) {
		return nil, false
	}
	end := skipScalar(b, i)
	if end < 0 {
		return nil, false
	}
	if b[i] != '"' {
		return b[i:end:end], true
	}
	name = b[i+1 : end-1 : end-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		name = appendUnescaped(make([]byte, 0, len(name)), name)
	}
	return name, true
}

// Clone returns a with a copy of its JSON text, made in one allocation. The
// attachments are the same slices: they never alias what a Decoder was given.
func (a Args) Clone() Args {
	a.JSON = bytes.Clone(a.JSON)
	return a
}

// Tail returns the arguments without the first element, the event name, as new
// JSON text made in one allocation. The attachments are the same slices.
func (a Args) Tail() Args {
	b := a.JSON
	if len(b) == 0 || b[0] != '[' {
		return Args{}
	}
	end, err := skipValue(b, 1)
	if err != nil {
		return Args{JSON: []byte("[]"), Attachments: a.Attachments}
	}
	if end = skipSpace(b, end); end < len(b) && b[end] == ',' {
		end++
	}
	tail := make([]byte, 0, 1+len(b)-end)
	tail = append(append(tail, '['), b[end:]...)
	return Args{JSON: tail, Attachments: a.Attachments}
}
