package rest

import (
	"errors"
	"strconv"
	"strings"
)

// Request is one request as it travels: what a method, a URL and a body are in
// HTTP. The zero value is a POST of nothing.
type Request struct {
	Method      string // "" is POST
	URL         string // by convention without a leading slash, with its query
	Header      string // lines "Name: value", with CR LF between them
	NoAnswer    bool   // the sender wants no answer
	ContentType string // "" is JSON if there is content
	Content     []byte // the body; read before the call returns
}

// Answer is what comes back for a Request.
type Answer struct {
	Status      int    // of HTTP
	Header      string // as in Request
	ContentType string // "" is JSON if there is content
	Content     []byte // the body; the caller's
}

// message is a request or an answer: its head, two or four values, and a body.
type message struct {
	head        string
	values      [4]string
	contentType string
	content     []byte
}

// errFrame is a frame that is no message. head is what could be read of it.
var errFrame = errors.New("rest: malformed frame")

const jsonType = "application/json"

// isJSON reports whether a content type is one of JSON's: application/json and
// whatever begins so, text/json, application/…json. On the wire all of them are
// the same.
func isJSON(contentType string) bool {
	t, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	t = strings.TrimSpace(t)
	return strings.HasPrefix(t, jsonType) || strings.HasPrefix(t, "text/json") ||
		strings.HasPrefix(t, "application/") && strings.HasSuffix(t, "json")
}

// typeOnWire is how a content type travels: not at all if it is JSON's, or there
// is no content.
func typeOnWire(contentType string, content []byte) string {
	if len(content) == 0 || isJSON(contentType) {
		return ""
	}
	return contentType
}

// typeOf undoes that.
func typeOf(wire string, content []byte) string {
	if wire == "" && len(content) > 0 {
		return jsonType
	}
	return wire
}

// isRequest reports whether a head is that of a request.
func isRequest(head string) bool { return strings.HasPrefix(head, "r") }

// answerHead is the head of the answer to a request of that head.
func answerHead(head string) string {
	if len(head) >= 3 && (head[2] == 'q' || head[2] == 'Q') {
		return "answer"
	}
	return "a" + head[1:]
}

const hexDigits = "0123456789abcdef"

// sequenced is a head with a number of 24 bits, 'r' or 'a' and six digits.
func sequenced(kind byte, n uint32) string {
	b := [7]byte{kind}
	for i := 6; i > 0; i-- {
		b[i] = hexDigits[n&15]
		n >>= 4
	}
	return string(b[:])
}

// sequence is the number in the head of an answer.
func sequence(head string) (n uint32, ok bool) {
	if len(head) != 7 || head[0] != 'a' {
		return 0, false
	}
	for i := 1; i < len(head); i++ {
		d := strings.IndexByte(hexDigits, head[i])
		if d < 0 {
			return 0, false
		}
		n = n<<4 | uint32(d)
	}
	return n, true
}

func (r *Request) message(head string) *message {
	flag := "0"
	if r.NoAnswer {
		flag = "1"
	}
	method := r.Method
	if method == "POST" {
		method = ""
	}
	return &message{head, [4]string{method, r.URL, r.Header, flag}, r.ContentType, r.Content}
}

func (m *message) request() *Request {
	r := &Request{m.values[0], m.values[1], m.values[2], isOn(m.values[3]), typeOf(m.contentType, m.content), m.content}
	if r.Method == "" {
		r.Method = "POST"
	}
	return r
}

// isOn reads a flag: a number other than zero.
func isOn(s string) bool {
	s = strings.TrimLeft(s, "0")
	return s != "" && s[0] >= '1' && s[0] <= '9'
}

func (a *Answer) message(head string) *message {
	return &message{head, [4]string{strconv.Itoa(a.Status), a.Header}, a.ContentType, a.Content}
}

func (m *message) answer() (*Answer, error) {
	if m.values[0] == "" {
		return nil, errFrame
	}
	a := &Answer{0, m.values[1], typeOf(m.contentType, m.content), m.content}
	for _, c := range []byte(m.values[0]) {
		if c < '0' || c > '9' {
			return nil, errFrame
		}
		if a.Status = a.Status*10 + int(c-'0'); a.Status > 999 {
			return nil, errFrame
		}
	}
	return a, nil
}

// format is how messages look on the wire.
type format interface {
	// append appends m; the first n of its values count.
	append(dst []byte, m *message, n int) []byte
	// parse reads a message; its content shares memory with data. With an error
	// head is what could be read of it.
	parse(data []byte) (m message, err error)
}

// valuesOf is how many values a message of that head has.
func valuesOf(head string) int {
	if isRequest(head) {
		return 4
	}
	return 2
}
