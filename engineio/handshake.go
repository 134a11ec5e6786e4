package engineio

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hermod-io/hermod/engineio/packet"
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
