package engineio

import (
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unique"
	"unsafe"
)

// packed is a request in two texts, which a session keeps for as long as it
// lives; a *http.Request would be some 3 KB. Both are lines, each ended by
// endLine.
//
// form is what many clients say alike: names of headers, and what a browser
// tells of itself. It is there once for all sessions that have the same: the
// method, "tls" or nothing, the URL, then a line for each header. A header that
// is only its name, and a URL that is empty, have their value in own.
//
// own is what remains: the address, the URL if it is not in form, and those
// values.
type packed struct {
	form unique.Handle[string]
	own  string
	at   int64 // Unix ms
}

const (
	endLine   = '\n' // never within a line, see packer.text
	endOfName = ':'  // never within a name
	overTLS   = "tls"

	// maxShared is the longest value that form takes: what is longer is hardly
	// said by two.
	maxShared = 256
)

// packer makes the texts of a packed.
type packer struct {
	form, own []byte
	names     []string
}

// packers are lent. They are kept off the stack too, which in this place is that
// of net/http and would have to grow for them.
var packers = sync.Pool{New: func() any { return &packer{make([]byte, 0, 1<<10), make([]byte, 0, 1<<10), nil} }}

// maxLent is how much room a packer may have to be kept for the next.
const maxLent = 4 << 10

// room is how many bytes p takes, used or not.
func (p *packer) room() int {
	return cap(p.form) + cap(p.own) + cap(p.names)*int(unsafe.Sizeof(""))
}

// reset empties p, and reports whether it may be lent again.
func (p *packer) reset() bool {
	clear(p.names)
	p.form, p.own, p.names = p.form[:0], p.own[:0], p.names[:0]
	return p.room() <= maxLent
}

// free gives p back.
func (p *packer) free() {
	if p.reset() {
		packers.Put(p)
	}
}

// text appends v as a line, without what would end it too early.
func text(dst []byte, v string) []byte {
	start := len(dst)
	dst = append(dst, v...)
	for i := start; i < len(dst); i++ {
		if dst[i] == '\n' || dst[i] == '\r' {
			dst[i] = ' '
		}
	}
	return append(dst, endLine)
}

// header adds a header.
func (p *packer) header(name, value string) {
	p.form = append(p.form, name...)
	if len(value) > maxShared || !shared(name) {
		p.form = append(p.form, endLine)
		p.own = text(p.own, value)
		return
	}
	p.form = text(append(p.form, endOfName), value)
}

// headers adds those of h in the order of their names, since that of a map
// would make as many forms as there are orders.
func (p *packer) headers(h http.Header) {
	for name := range h {
		if validName(name) {
			p.names = append(p.names, name)
		}
	}
	slices.Sort(p.names)
	for _, name := range p.names {
		for _, v := range h[name] {
			p.header(name, textproto.TrimString(v))
		}
	}
}

// packHandshake keeps what [Session.Handshake] tells of r.
func packHandshake(r *http.Request) packed {
	p := packers.Get().(*packer)
	defer p.free()
	p.form = text(p.form, r.Method)
	tls := ""
	if r.TLS != nil {
		tls = overTLS
	}
	p.form = text(p.form, tls)
	p.own = text(p.own, r.RemoteAddr)
	if uri := r.URL.RequestURI(); len(uri) <= maxShared && sharedQuery(r.URL.RawQuery) {
		p.form = text(p.form, uri)
	} else {
		p.form = append(p.form, endLine)
		p.own = text(p.own, uri)
	}
	p.header("Host", r.Host)
	p.headers(r.Header)
	return packed{unique.Make(string(p.form)), string(p.own), time.Now().UnixMilli()}
}

// line cuts the first line off text.
func line(text *string) string {
	first, rest, _ := strings.Cut(*text, string(endLine))
	*text = rest
	return first
}

// unpack is the request again.
func (p packed) unpack() *Handshake {
	form, own := p.form.Value(), p.own
	h := &Handshake{Method: line(&form), Secure: line(&form) == overTLS, Header: http.Header{}, RemoteAddr: line(&own), Time: time.UnixMilli(p.at)}
	uri := line(&form)
	if uri == "" {
		uri = line(&own)
	}
	var err error
	if h.URL, err = url.ParseRequestURI(uri); err != nil {
		h.URL = &url.URL{Path: uri}
	}
	for form != "" {
		name, value, inForm := strings.Cut(line(&form), string(endOfName))
		if !inForm {
			value = line(&own)
		}
		h.Header.Add(name, value)
	}
	return h
}

// validName reports whether a header of that name can be kept. Requests from
// outside have no others.
func validName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || c == endOfName {
			return false
		}
	}
	return name != ""
}

// sharedQuery reports whether many clients have that query: it says nothing but
// how they want to connect.
func sharedQuery(raw string) bool {
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		switch key, _, _ := strings.Cut(pair, "="); key {
		case "EIO", "transport", "b64":
		default:
			return false
		}
	}
	return true
}

// shared reports whether many clients have the same value of a header. What may
// be a secret, or tells clients apart, is not among them.
func shared(name string) bool {
	switch name {
	case "Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Connection", "Dnt", "Host", "Origin", "Pragma", "Priority",
		"Sec-Ch-Ua", "Sec-Ch-Ua-Mobile", "Sec-Ch-Ua-Platform", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Gpc",
		"Sec-Websocket-Extensions", "Sec-Websocket-Version", "Te", "Upgrade", "User-Agent", "Via",
		"X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Requested-With":
		return true
	}
	return false
}
