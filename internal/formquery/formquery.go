package formquery

import (
	"iter"
	"strings"
	"unicode/utf8"
)

// Pairs iterates over the names and values of a query, in their order. Nothing in it
// is an error. URL Standard, "application/x-www-form-urlencoded parsing".
func Pairs(raw string) iter.Seq2[string, string] {
	plain := !encoded(raw)
	return func(yield func(name, value string) bool) {
		for pair, rest := "", raw; rest != ""; {
			pair, rest, _ = strings.Cut(rest, "&")
			name, value, _ := strings.Cut(pair, "=")
			if !plain {
				name, value = decoded(name), decoded(value)
			}
			if pair != "" && !yield(name, value) {
				return
			}
		}
	}
}

// encoded reports whether anything in a query may stand for something else.
func encoded(raw string) bool {
	for i := range len(raw) {
		if c := raw[i]; c == '%' || c == '+' || c >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// decoded is a name or a value. A percent sign that begins no escape means itself, and
// bytes that are no UTF-8 become U+FFFD. It takes no memory for what is not encoded.
func decoded(s string) string {
	if strings.ContainsAny(s, "%+") {
		s = unescaped(s)
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return s
}

func unescaped(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		b := s[i]
		switch {
		case b == '+':
			b = ' '
		case b == '%' && i+2 < len(s) && hex(s[i+1]) < 16 && hex(s[i+2]) < 16:
			b = hex(s[i+1])<<4 | hex(s[i+2])
			i += 2
		}
		out = append(out, b)
	}
	return string(out)
}

// hex is the value of a digit, 16 if it is none.
func hex(b byte) byte {
	switch {
	case '0' <= b && b <= '9':
		return b - '0'
	case 'a' <= b && b <= 'f':
		return b - 'a' + 10
	case 'A' <= b && b <= 'F':
		return b - 'A' + 10
	}
	return 16
}
