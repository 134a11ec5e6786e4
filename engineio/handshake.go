package engineio

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hermod-io/hermod/engineio/packet"
	"github.com/hermod-io/hermod/internal/formquery"
)

// Handshake is the request that opened a session.
type Handshake struct {
	Method     string      // of HTTP
	URL        *url.URL    // as it was asked for: path and query
	Header     http.Header // with Host
	RemoteAddr string      // host:port
	Secure     bool        // over TLS
	Time       time.Time   // when the session was made
}

// Query returns the parameters of URL as the official server reads them; each call
// parses anew. Unlike URL.Query it passes over nothing: an escape that is none stands
// for itself, and a semicolon is a character. Of values with one name that server
// keeps the last.
func (h *Handshake) Query() url.Values {
	all := url.Values{}
	if h.URL == nil {
		return all
	}
	for name, value := range formquery.Pairs(h.URL.RawQuery) {
		all[name] = append(all[name], value)
	}
	return all
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
