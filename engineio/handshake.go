package engineio

import (
	"bufio"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hermod-io/hermod/engineio/packet"
)

// packed is a request in one string: method, URL, address, then the header
// block. A *http.Request would hold some 3 KB for as long as the session lives.
type packed struct {
	text   string
	secure bool
	at     int64 // Unix ms
}

func packHandshake(r *http.Request) packed {
	var b strings.Builder
	for _, line := range []string{r.Method, r.URL.RequestURI(), r.RemoteAddr} {
		b.WriteString(line + "\n")
	}
	b.WriteString("Host: " + r.Host + "\r\n")
	_ = r.Header.Write(&b)
	b.WriteString("\r\n")
	return packed{strings.Clone(b.String()), r.TLS != nil, time.Now().UnixMilli()}
}

func (p packed) unpack() *Handshake {
	method, rest, _ := strings.Cut(p.text, "\n")
	uri, rest, _ := strings.Cut(rest, "\n")
	addr, block, _ := strings.Cut(rest, "\n")
	u, err := url.ParseRequestURI(uri)
	if err != nil {
		u = &url.URL{Path: uri}
	}
	header, _ := textproto.NewReader(bufio.NewReader(strings.NewReader(block))).ReadMIMEHeader()
	return &Handshake{Method: method, URL: u, Header: http.Header(header), RemoteAddr: addr, Secure: p.secure, Time: time.UnixMilli(p.at)}
}

// Handshake is the request that opened a session.
type Handshake struct {
	Method     string
	URL        *url.URL
	Header     http.Header // with Host
	RemoteAddr string      // host:port
	Secure     bool        // over TLS
	Time       time.Time
}

// openPacket is the first packet of a session.
func (srv *Server) openPacket(sid string, upgrades []string) packet.Packet {
	h := packet.Handshake{SID: sid, Upgrades: upgrades, PingInterval: srv.cfg.PingInterval.Milliseconds(),
		PingTimeout: srv.cfg.PingTimeout.Milliseconds(), MaxPayload: srv.cfg.MaxHTTPBufferSize}
	return packet.Packet{Type: packet.Open, Data: h.AppendJSON(nil)}
}

func (srv *Server) has(transport string) bool { return slices.Contains(srv.cfg.Transports, transport) }

// responseHeaders adds what the hooks want.
func (srv *Server) responseHeaders(h http.Header, r *http.Request, first bool) {
	if ua := r.UserAgent(); strings.Contains(ua, ";MSIE") || strings.Contains(ua, "Trident/") {
		h.Set("X-XSS-Protection", "0")
	}
	if first && srv.cfg.OnInitialHeaders != nil {
		srv.cfg.OnInitialHeaders(h, r)
	}
	if srv.cfg.OnHeaders != nil {
		srv.cfg.OnHeaders(h, r)
	}
}
