package wscore

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hermod-io/hermod/internal/httplist"
)

// HandshakeError is a refused handshake. On the server's side the response has
// been written. RFC 6455 section 4.
type HandshakeError struct {
	Status int    // of the HTTP response
	Msg    string // what is wrong; a server sends it as the body
}

// Error returns Msg behind a prefix.
func (e *HandshakeError) Error() string { return "wscore: handshake refused: " + e.Msg }

// Accept is [Server.Accept] for a connection that shares nothing: it has a
// Server of its own, with a copy of settings (nil is the zero value) and a timer
// wheel. For more than a few connections make a Server, which can also close
// them all and wait for their goroutines. RFC 6455 section 4.2.
func Accept(w http.ResponseWriter, r *http.Request, settings *Settings) (*Conn, error) {
	if settings == nil {
		settings = new(Settings)
	}
	return NewServer(*settings).Accept(w, r, nil)
}

// Accept checks the handshake in r and takes the connection over. extra are
// response headers to add; those that belong to the handshake, or whose name is
// none, are left out. On an error, a *HandshakeError, the response has been
// written (405, 426, 400, 403 for the Origin, 500 if w cannot be hijacked).
// Nothing is sent, the answer included, before Serve, NextWriter or the first call
// that reads; what is sent before leaves with the answer. RFC 6455 section 4.2.
func (s *Server) Accept(w http.ResponseWriter, r *http.Request, extra http.Header) (*Conn, error) {
	if err := s.check(r); err != nil {
		refuse(w, err)
		return nil, err
	}
	return s.takeOver(w, r, s.choose(r), extra)
}

// takeOver makes a connection of a request that was checked.
func (s *Server) takeOver(w http.ResponseWriter, r *http.Request, subprotocol string, extra http.Header) (*Conn, error) {
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		e := &HandshakeError{http.StatusInternalServerError, "connection cannot be taken over: " + err.Error()}
		refuse(w, e)
		return nil, e
	}
	_ = nc.SetDeadline(time.Time{})
	c := s.newConn(nc, buffered(rw.Reader), false)
	s.agree(c, r, subprotocol)
	head := appendAnswer(make([]byte, 0, usualAnswer), r, c, extra)
	c.mu.Lock()
	c.out.push(&s.pools, segment{b: head})
	c.out.bytes += len(head)
	c.mu.Unlock()
	return c, nil
}

func refuse(w http.ResponseWriter, e *HandshakeError) {
	h := w.Header()
	if e.Status == http.StatusUpgradeRequired {
		h.Set("Sec-WebSocket-Version", "13")
		h.Set("Upgrade", "websocket")
	}
	if e.Status == http.StatusMethodNotAllowed {
		h.Set("Allow", http.MethodGet)
	}
	if (e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable) && h.Get("Retry-After") == "" {
		h.Set("Retry-After", "1")
	}
	h.Set("Connection", "close")
	http.Error(w, e.Msg, e.Status)
}

// check verifies the client's part of the handshake. RFC 6455 section 4.2.1.
func (s *Server) check(r *http.Request) *HandshakeError {
	bad := func(msg string) *HandshakeError { return &HandshakeError{http.StatusBadRequest, msg} }
	key := r.Header.Values("Sec-Websocket-Key")
	switch {
	case r.Method != http.MethodGet:
		return &HandshakeError{http.StatusMethodNotAllowed, "method is not GET"}
	case r.ProtoMajor != 1 || r.ProtoMinor < 1:
		return bad("not HTTP/1.1")
	case !httplist.Has(r.Header["Upgrade"], "websocket") || !httplist.Has(r.Header["Connection"], "upgrade"):
		return &HandshakeError{http.StatusUpgradeRequired, "not an upgrade to websocket"}
	case !slices.Equal(r.Header["Sec-Websocket-Version"], []string{"13"}):
		return &HandshakeError{http.StatusUpgradeRequired, "version is not 13"}
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return bad("upgrade request with a body")
	case len(key) != 1:
		return bad("no Sec-WebSocket-Key")
	}
	if k, err := base64.StdEncoding.DecodeString(key[0]); err != nil || len(k) != 16 {
		return bad("Sec-WebSocket-Key is not of 16 bytes")
	}
	if !s.originsAllowed(r) {
		return &HandshakeError{http.StatusForbidden, "origin not allowed"}
	}
	return nil
}

// originsAllowed lets pages of the same host and of listed hosts connect. RFC 6455 section 10.2.
func (s *Server) originsAllowed(r *http.Request) bool {
	return !slices.ContainsFunc(r.Header["Origin"], func(origin string) bool { return !s.originAllowed(origin, r.Host) })
}

func (s *Server) originAllowed(origin, host string) bool {
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	if strings.EqualFold(u.Host, host) && u.Host != "" {
		return true
	}
	return slices.ContainsFunc(s.settings.Origins, func(pattern string) bool {
		if pattern == "*" || pattern == "null" && origin == "null" || u.Host != "" && strings.EqualFold(pattern, u.Host) { // brackets mean something else in patterns
			return true
		}
		ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(u.Host))
		return err == nil && ok
	})
}

// agree negotiates permessage-deflate.
func (s *Server) agree(c *Conn, r *http.Request, subprotocol string) {
	var p deflateParams
	var extensions string
	if d := s.settings.Deflate; d != nil {
		p, extensions, _ = d.answer(r.Header.Values("Sec-Websocket-Extensions"))
	}
	c.negotiate(subprotocol, extensions, p)
}

// choose finds the first of our subprotocols that the client offers, else the first
// that it offers if any will do. Their names are compared as they are.
func (s *Server) choose(r *http.Request) string {
	offers := r.Header["Sec-Websocket-Protocol"]
	for _, p := range s.settings.Subprotocols {
		if httplist.Find(offers, func(name string) bool { return name == p }) != "" {
			return p
		}
	}
	if s.settings.AnySubprotocol {
		return httplist.Find(offers, isToken)
	}
	return ""
}

// buffered returns what the HTTP server has read beyond the request.
func buffered(r *bufio.Reader) []byte {
	n := r.Buffered()
	if n == 0 {
		return nil
	}
	b := make([]byte, n)
	n, _ = r.Read(b)
	return b[:n]
}

// acceptKey is the server's answer to the client's key. RFC 6455 section 4.2.2.
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// ofHandshake reports whether a header belongs to the handshake itself.
func ofHandshake(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Upgrade", "Connection", "Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Accept", "Sec-Websocket-Protocol",
		"Sec-Websocket-Extensions", "Content-Length", "Transfer-Encoding", "Trailer":
		return true
	}
	return false
}

// usualAnswer is the room that most answers fit into: 129 bytes, and a header or two.
const usualAnswer = 256

// appendAnswer appends the 101 response. RFC 6455 section 4.2.2.
func appendAnswer(dst []byte, r *http.Request, c *Conn, extra http.Header) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	dst = append(dst, acceptKey(r.Header.Get("Sec-Websocket-Key"))...)
	if s := c.Subprotocol(); s != "" {
		dst = append(append(dst, "\r\nSec-WebSocket-Protocol: "...), s...)
	}
	if s := c.Extensions(); s != "" {
		dst = append(append(dst, "\r\nSec-WebSocket-Extensions: "...), s...)
	}
	for name, values := range extra {
		if !isToken(name) || ofHandshake(name) {
			continue
		}
		for _, v := range values {
			dst = append(append(append(append(dst, "\r\n"...), name...), ": "...), clean(v)...)
		}
	}
	return append(dst, "\r\n\r\n"...)
}

// isToken reports whether s can be the name of a header. RFC 9110 section 5.6.2.
func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		alnum := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !alnum && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}) < 0
}

// clean keeps a header from being two. RFC 9110 section 5.5.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
