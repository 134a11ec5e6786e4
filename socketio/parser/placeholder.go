package parser

import (
	"bytes"
	"slices"
	"strconv"
)

// Placeholders are written in one form only; a Decoder rewrites others that a
// peer may use, so that whoever reads Args has to know this one alone.
const (
	placeholderHead = `{"_placeholder":true,"num":`
	placeholderTail = '}'
)

func appendPlaceholder(dst []byte, num int) []byte {
	dst = append(dst, placeholderHead...)
	dst = strconv.AppendInt(dst, int64(num), 10)
	return append(dst, placeholderTail)
}

// placeholderNum returns the number of the placeholder that raw is, or -1.
func placeholderNum(raw []byte) int {
	if len(raw) <= len(placeholderHead)+1 || string(raw[:len(placeholderHead)]) != placeholderHead {
		return -1
	}
	return parsePlaceholderNum(raw[len(placeholderHead) : len(raw)-1])
}

// placeholderAt returns the number of the placeholder at b[i] and the index
// behind it, if it is that of one of so many attachments; else end is -1.
func placeholderAt(b []byte, i, attachments int) (n, end int) {
	if attachments == 0 {
		return 0, -1
	}
	end = bytes.IndexByte(b[i:], placeholderTail)
	if end < 0 {
		return 0, -1
	}
	end += i + 1
	if n = placeholderNum(b[i:end]); n < 0 || n >= attachments {
		return 0, -1
	}
	return n, end
}

// parsePlaceholderNum returns the value of decimal digits, -1 for others.
func parsePlaceholderNum(digits []byte) int {
	if len(digits) == 0 || len(digits) > 9 {
		return -1
	}
	n := 0
	for _, c := range digits {
		if !isDigit(c) {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// resolver copies the valid JSON text of a binary packet. An object whose member
// _placeholder is true is replaced by the placeholder of the attachment it
// names, which must be one of len(place). Attachments are numbered anew by their
// first use: place[i] is the new number of attachment i, or -1 if nothing refers
// to it; order has the attachments by new number. Recursion is bounded by
// maxDepth.
type resolver struct {
	in, out []byte
	pos     int
	place   []int
	order   []int
}

// resolve sets out, place and order. place and order are reused.
func (r *resolver) resolve(text []byte, attachments int) *Error {
	r.in, r.out, r.pos = text, make([]byte, 0, len(text)), 0
	r.place, r.order = slices.Grow(r.place[:0], attachments)[:attachments], r.order[:0]
	for i := range r.place {
		r.place[i] = -1
	}
	err := r.value()
	r.in = nil
	return err
}

func (r *resolver) value() *Error {
	r.pos = skipSpace(r.in, r.pos)
	switch r.in[r.pos] {
	case '{':
		return r.object()
	case '[':
		return r.array()
	}
	r.copyTo(skipScalar(r.in, r.pos))
	return nil
}

func (r *resolver) copyTo(end int) {
	r.out = append(r.out, r.in[r.pos:end]...)
	r.pos = end
}

// delim copies the next byte that is not white space.
func (r *resolver) delim() byte {
	r.pos = skipSpace(r.in, r.pos)
	c := r.in[r.pos]
	r.copyTo(r.pos + 1)
	return c
}

func (r *resolver) peek() byte {
	r.pos = skipSpace(r.in, r.pos)
	return r.in[r.pos]
}

func (r *resolver) array() *Error {
	r.delim()
	if r.peek() == ']' {
		r.delim()
		return nil
	}
	for {
		if err := r.value(); err != nil {
			return err
		}
		if r.delim() == ']' {
			return nil
		}
	}
}

// object copies an object. What was copied is taken back if it turns out to be
// a placeholder; of members with the same name the last counts.
func (r *resolver) object() *Error {
	start, refs := len(r.out), len(r.order)
	var marked bool
	var num, numEnd int
	r.delim()
	if r.peek() == '}' {
		r.delim()
		return nil
	}
	for {
		r.pos = skipSpace(r.in, r.pos)
		nameEnd := skipString(r.in, r.pos)
		name := r.in[r.pos+1 : nameEnd-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name = appendUnescaped(nil, name)
		}
		r.copyTo(nameEnd)
		r.delim()
		r.pos = skipSpace(r.in, r.pos)
		at := len(r.out)
		if err := r.value(); err != nil {
			return err
		}
		switch string(name) {
		case "_placeholder":
			marked = string(r.out[at:]) == "true"
		case "num":
			num, numEnd = at, len(r.out)
		}
		if r.delim() == '}' {
			break
		}
	}
	if !marked {
		return nil
	}
	n := parsePlaceholderNum(r.out[num:numEnd])
	for _, n := range r.order[refs:] {
		r.place[n] = -1
	}
	r.out, r.order = r.out[:start], r.order[:refs]
	return r.refer(n)
}

// refer appends the placeholder of attachment n, numbered anew.
func (r *resolver) refer(n int) *Error {
	if n < 0 || n >= len(r.place) {
		return errPlaceholder
	}
	if r.place[n] < 0 {
		r.place[n] = len(r.order)
		r.order = append(r.order, n)
	}
	r.out = appendPlaceholder(r.out, r.place[n])
	return nil
}
