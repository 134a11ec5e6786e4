package rest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// jsonFormat is that of synopsejson: {"head":[values…,"content type",content]}.
type jsonFormat struct{}

// binaryMark begins a string that is base64 of what is no text.
const binaryMark = "\ufff0"

// append implements format. Content that claims to be JSON and is not would break
// the frame: it travels as text, or as bytes. So does text that begins with
// binaryMark. What is no UTF-8 in the values is replaced, as a text message must be
// UTF-8. RFC 6455 section 5.6.
func (jsonFormat) append(dst []byte, m *message, n int) []byte {
	dst = append(append(append(dst, `{"`...), m.head...), `":[`...)
	for i, v := range m.values[:n] {
		if n == 2 && i == 0 || n == 4 && i == 3 { // a number
			dst = append(dst, v...)
		} else {
			dst = appendJSONString(dst, v)
		}
		dst = append(dst, ',')
	}
	contentType := m.contentType
	raw := contentType == "" || isJSON(contentType)
	text := utf8.Valid(m.content)
	if raw && len(m.content) > 0 && !(text && json.Valid(m.content)) {
		raw, contentType = false, "text/plain"
		if !text {
			contentType = "application/octet-stream"
		}
	}
	dst = append(appendJSONString(dst, typeOnWire(contentType, m.content)), ',')
	switch {
	case len(m.content) == 0:
		dst = append(dst, `""`...)
	case raw:
		dst = append(dst, m.content...)
	case text && bytes.IndexByte(m.content, 0) < 0 && !bytes.HasPrefix(m.content, []byte(binaryMark)):
		dst = appendJSONString(dst, string(m.content))
	default:
		dst = append(append(dst, '"'), binaryMark...)
		dst = append(base64.StdEncoding.AppendEncode(dst, m.content), '"')
	}
	return append(dst, "]}"...)
}

// appendJSONString appends s in quotes; only what must be escaped is.
func appendJSONString(dst []byte, s string) []byte {
	s = strings.ToValidUTF8(s, "\ufffd")
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		c := s[i]
		if short := shortEscape(c); short != 0 {
			dst = append(dst, '\\', short)
		} else if c < ' ' {
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

func shortEscape(c byte) byte {
	switch c {
	case '"', '\\':
		return c
	case '\b':
		return 'b'
	case '\t':
		return 't'
	case '\n':
		return 'n'
	case '\f':
		return 'f'
	case '\r':
		return 'r'
	}
	return 0
}

// parse implements format.
func (jsonFormat) parse(data []byte) (m message, err error) {
	r := jsonReader{data, 0}
	name, ok := r.head()
	if !ok {
		return m, errFrame
	}
	m.head = name
	n := valuesOf(name)
	var items [6][]byte // what follows the content means nothing
	count := r.array(items[:n+2])
	if count < n+1 || !r.end() {
		return m, errFrame
	}
	for i := range n {
		m.values[i] = scalar(items[i])
	}
	m.contentType = scalar(items[n])
	if count > n+1 {
		m.content = jsonContent(items[n+1], m.contentType)
	}
	return m, nil
}

// scalar is a string, a number, or a word; null is "", and so is what is none of
// them.
func scalar(raw []byte) string {
	switch raw[0] {
	case '"':
		if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 {
			return string(inner)
		}
		return unquote(raw)
	case '{', '[', 'n':
		return ""
	}
	return string(raw)
}

func unquote(raw []byte) (s string) {
	_ = json.Unmarshal(raw, &s) // it is valid
	return s
}

// jsonContent is the content that an item stands for.
func jsonContent(raw []byte, contentType string) []byte {
	if contentType == "" || isJSON(contentType) {
		if string(raw) == `""` {
			return nil
		}
		return raw
	}
	s := scalar(raw)
	if rest, ok := strings.CutPrefix(s, binaryMark); ok {
		if b, err := base64.StdEncoding.DecodeString(rest); err == nil {
			return b
		}
	}
	return []byte(s)
}
