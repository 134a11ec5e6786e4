package socketio

import (
	"encoding/json"
	"net"
	"strings"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Handshake is how a socket connected: the Engine.IO request and the CONNECT
// payload. It belongs to who asked for it.
type Handshake struct {
	*engineio.Handshake
	auth json.RawMessage
	json parser.JSON
}

// Auth is the CONNECT payload as JSON text, an object; nil if there was none. It
// must not be changed.
func (h *Handshake) Auth() json.RawMessage { return h.auth }

// DecodeAuth decodes the CONNECT payload into v, a non-nil pointer; without
// one v stays as it is. The error is an *ArgError: of a middleware that returns it the
// client is told "invalid auth".
func (h *Handshake) DecodeAuth(v any) error {
	if h.auth == nil {
		return nil
	}
	if err := h.json.Decode(h.auth, nil, v); err != nil {
		return &ArgError{Err: err}
	}
	return nil
}

// describe is the form of a handshake that travels between nodes.
func (h *Handshake) describe() adapters.Handshake {
	out := adapters.Handshake{
		Headers: make(map[string]string, len(h.Header)),
		Time:    h.Time.Format("Mon Jan 02 2006 15:04:05 GMT-0700"),
		Address: h.RemoteAddr,
		XDomain: h.Header.Get("Origin") != "",
		Secure:  h.Secure,
		Issued:  h.Time.UnixMilli(),
		Query:   map[string]string{},
		Auth:    h.auth,
	}
	if host, _, err := net.SplitHostPort(h.RemoteAddr); err == nil {
		out.Address = host
	}
	for k, vs := range h.Header {
		out.Headers[strings.ToLower(k)] = strings.Join(vs, ", ")
	}
	if h.URL != nil {
		out.URL = h.URL.RequestURI()
	}
	for k, vs := range h.Handshake.Query() {
		out.Query[k] = vs[len(vs)-1]
	}
	return out
}
