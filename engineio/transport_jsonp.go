package engineio

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// jsonp is a dialect over polling for pages that can only load scripts: answers
// are calls of a function, bodies are forms. A GET or POST is otherwise as any.
// Engine.IO protocol, "JSONP".
type jsonp struct {
	dialect        // of what is within, without bytes
	head    string // ___eio[0](
}

// newJSONP returns the dialect of a session whose handshake has j=index.
func newJSONP(d dialect, index string) *jsonp {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, index)
	return &jsonp{d, "___eio[" + digits + "]("}
}

func (j *jsonp) payload(dst pieces, units []unit) (body pieces, contentType string) {
	plain, contentType := j.dialect.payload(nil, units)
	text := bytes.Join(plain, nil)
	script := append(make([]byte, 0, len(j.head)+len(text)+len(text)/8+4), j.head...)
	script = appendScriptString(script, text)
	return append(dst, append(script, ");"...)), contentType
}

// chunking: it is a script.
func (j *jsonp) chunking([]unit) (c chunking, ok bool) { return 0, false }

// take reads the form's field d. A body without one, or with several, has no
// packets.
func (j *jsonp) take(s *Session, body []byte, binary bool) error {
	if binary {
		return nil
	}
	d, ok := formField(body)
	if !ok {
		return nil
	}
	return j.dialect.take(s, unescapeNewlines(d), false)
}

// appendScriptString appends text as a string of JavaScript, as JSON but with
// the two line separators escaped that older engines take for line ends.
func appendScriptString(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for len(text) > 0 {
		c := text[0]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(text)
			switch r {
			case '\u2028', '\u2029':
				dst = append(dst, `\u202`...)
				dst = append(dst, hex[r&15])
			default:
				dst = utf8.AppendRune(dst, r)
			}
			text = text[n:]
			continue
		}
		text = text[1:]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ':
			dst = append(dst, c)
		case c >= '\b' && c <= '\r' && c != '\v':
			dst = append(dst, '\\', "btn_fr"[c-'\b'])
		default:
			dst = append(dst, `\u00`...)
			dst = append(dst, hex[c>>4], hex[c&15])
		}
	}
	return append(dst, '"')
}

// formField returns the field d of an URL-encoded form, decoded in place. Like
// the official server's reader it takes what is no escape as it is.
func formField(form []byte) (d []byte, ok bool) {
	for len(form) > 0 {
		var pair []byte
		pair, form, _ = bytes.Cut(form, []byte{'&'})
		key, value, _ := bytes.Cut(pair, []byte{'='})
		if string(unescapeForm(key)) != "d" {
			continue
		}
		if ok {
			return nil, false
		}
		d, ok = unescapeForm(value), true
	}
	return d, ok
}

// unescapeForm decodes + and %XX in place.
func unescapeForm(b []byte) []byte {
	out := b[:0]
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '+':
			out = append(out, ' ')
		case b[i] == '%' && i+2 < len(b) && hexValue(b[i+1]) < 16 && hexValue(b[i+2]) < 16:
			out = append(out, hexValue(b[i+1])<<4|hexValue(b[i+2]))
			i += 2
		default:
			out = append(out, b[i])
		}
	}
	return out
}

// hexValue is 16 for what is no hex digit.
func hexValue(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 16
}

// unescapeNewlines undoes, in place, what clients do to keep newlines through a
// form: \n stands for one, \\n for the two characters \n.
func unescapeNewlines(b []byte) []byte {
	out := b[:0]
	for i := 0; i < len(b); i++ {
		rest := b[i:]
		switch {
		case bytes.HasPrefix(rest, []byte(`\\n`)):
			out = append(out, '\\', 'n')
			i += 2
		case bytes.HasPrefix(rest, []byte(`\n`)):
			out = append(out, '\n')
			i++
		default:
			out = append(out, b[i])
		}
	}
	return out
}
