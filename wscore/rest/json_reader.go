package rest

import (
	"bytes"
	"encoding/json"
)

// jsonReader takes a frame apart. Only head looks at what may not be JSON.
type jsonReader struct {
	b []byte
	i int
}

// space skips blanks, and returns what comes then; 0 at the end.
func (r *jsonReader) space() byte {
	for ; r.i < len(r.b); r.i++ {
		if c := r.b[r.i]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c
		}
	}
	return 0
}

// skip takes c, if it comes next.
func (r *jsonReader) skip(c byte) bool {
	if r.space() != c {
		return false
	}
	r.i++
	return true
}

// head reads the name of the first member, which must be one that can be sent
// back as it is.
func (r *jsonReader) head() (name string, ok bool) {
	if !r.skip('{') || !r.skip('"') {
		return "", false
	}
	n := bytes.IndexByte(r.b[r.i:min(len(r.b), r.i+maxHead+1)], '"')
	if n < 1 || !plainName(r.b[r.i:r.i+n]) {
		return "", false
	}
	name = string(r.b[r.i : r.i+n])
	r.i += n + 1
	return name, r.skip(':')
}

// plainName reports whether there are only letters and digits of ASCII.
func plainName(s []byte) bool {
	for _, c := range s {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// array reads an array, and keeps as many items as there is room for. It returns
// how many there are; -1 if it is none, or the frame is not JSON.
func (r *jsonReader) array(items [][]byte) (count int) {
	if !json.Valid(r.b) || !r.skip('[') {
		return -1
	}
	if r.skip(']') {
		return 0
	}
	for {
		r.space()
		v := r.value()
		if count < len(items) {
			items[count] = v
		}
		count++
		if !r.skip(',') {
			r.i++ // the bracket
			return count
		}
	}
}

// end reports whether the frame ends here.
func (r *jsonReader) end() bool { return r.skip('}') && r.space() == 0 }

// value takes a value of valid JSON.
func (r *jsonReader) value() []byte {
	start, depth := r.i, 0
	for ; r.i < len(r.b); r.i++ {
		switch r.b[r.i] {
		case '"':
			r.quoted()
			if depth == 0 {
				r.i++
				return r.b[start:r.i]
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // the end of what it is in
				return r.b[start:r.i]
			}
			if depth--; depth == 0 {
				r.i++
				return r.b[start:r.i]
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return r.b[start:r.i]
			}
		}
	}
	return r.b[start:]
}

// quoted goes to the last quote of a string.
func (r *jsonReader) quoted() {
	for r.i++; r.i < len(r.b) && r.b[r.i] != '"'; r.i++ {
		if r.b[r.i] == '\\' {
			r.i++
		}
	}
}
