package wscore

import "unicode/utf8"

// utf8Check validates text that comes in pieces, and fails as soon as a byte
// makes it invalid. RFC 6455 section 8.1.
type utf8Check struct {
	tail [utf8.UTFMax]byte // an unfinished character
	n    uint8
}

// add takes the next piece and reports whether the text can still be valid.
func (u *utf8Check) add(b []byte) bool {
	for u.n > 0 && len(b) > 0 {
		u.tail[u.n] = b[0]
		u.n++
		b = b[1:]
		if utf8.FullRune(u.tail[:u.n]) {
			if r, size := utf8.DecodeRune(u.tail[:u.n]); r == utf8.RuneError && size <= 1 {
				return false
			}
			u.n = 0
		} else if !possible(u.tail[:u.n]) {
			return false
		}
	}
	if len(b) == 0 {
		return true
	}
	end := len(b)
	for i := 1; i <= 3 && i <= len(b); i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-i:]) {
				end = len(b) - i
			}
			break
		}
	}
	if !utf8.Valid(b[:end]) {
		return false
	}
	u.n = uint8(copy(u.tail[:], b[end:]))
	return possible(u.tail[:u.n])
}

// done reports whether the text may end here, and makes ready for the next one.
func (u *utf8Check) done() bool {
	ok := u.n == 0
	u.n = 0
	return ok
}

// possible reports whether p, which is no full rune, can become a valid one.
// utf8.FullRune already calls what is certainly invalid full.
func possible(p []byte) bool { return !utf8.FullRune(p) }
