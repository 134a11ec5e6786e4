package wscore

import "strings"

// extension is one element of a Sec-WebSocket-Extensions header. RFC 6455 section 9.1.
type extension struct {
	name   string
	params []extensionParam
}

type extensionParam struct {
	name, value string
	valued      bool // there was a value
}

// splitExtensions calls f with each element of the headers' lists, which are
// divided by commas outside of quoted strings, until f returns false.
func splitExtensions(headers []string, f func(element string) bool) {
	for _, h := range headers {
		for {
			element, rest, more := cutUnquoted(h, ',')
			if element = trimOWS(element); element != "" && !f(element) {
				return
			}
			if !more {
				break
			}
			h = rest
		}
	}
}

// cutUnquoted cuts s around the first sep that is not in a quoted string.
func cutUnquoted(s string, sep byte) (before, after string, found bool) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case !quoted && c == sep:
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// parseExtension parses an element: token *( ";" token [ "=" ( token / quoted-string ) ] ).
func parseExtension(element string) (e extension, ok bool) {
	name, rest, more := cutUnquoted(element, ';')
	if e.name = trimOWS(name); !isToken(e.name) {
		return e, false
	}
	for more {
		var param string
		param, rest, more = cutUnquoted(rest, ';')
		p, ok := parseExtensionParam(trimOWS(param))
		if !ok {
			return e, false
		}
		e.params = append(e.params, p)
	}
	return e, true
}

func parseExtensionParam(s string) (p extensionParam, ok bool) {
	p.name, p.value, p.valued = strings.Cut(s, "=")
	if p.name = strings.TrimRight(p.name, " \t"); !isToken(p.name) {
		return p, false
	}
	if !p.valued {
		return p, true
	}
	if p.value = strings.TrimLeft(p.value, " \t"); strings.HasPrefix(p.value, `"`) {
		if p.value, ok = unquote(p.value); !ok {
			return p, false
		}
	}
	return p, isToken(p.value) // of a quoted string too, once unquoted
}

// unquote undoes the quoting of s, which begins with a quote and must end with its partner.
func unquote(s string) (string, bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), i == len(s)-1
		case '\\':
			if i++; i == len(s) {
				return "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", false
}

func trimOWS(s string) string { return strings.Trim(s, " \t") }
