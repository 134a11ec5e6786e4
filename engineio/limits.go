package engineio

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/hermod-io/hermod/internal/shrink"
)

// Limits bound who may open a session. The zero value has no limit, as the
// official server. A request that is refused gets 503 (429 when the limit is one
// address's own) with code 4, a text that says why, and Retry-After;
// OnConnectionError is told, with the name of the limit in its context.
// Sessions that are open are never touched. What [Server.Admit] lets in counts too.
type Limits struct {
	// Connections is the largest number of open sessions; 0 means no limit.
	Connections int
	// PerIP is the largest number of open sessions of one address; 0 means no
	// limit. IPv6 addresses count by their first 64 bits.
	PerIP int
	// Handshakes is the largest number of handshakes a second, over all
	// addresses; 0 means no limit. Those that AllowRequest or the protocol
	// refuses count too.
	Handshakes float64
	// Burst is how many may come at once; 0 means the handshakes of one second,
	// at least one.
	Burst int
	// ClientIP tells the address of a request, for servers behind a proxy, whose
	// clients would have one address otherwise; nil means the peer of the
	// connection. wscore.ClientAddr reads what proxies tell. Requests without an
	// address (the zero Addr) do not count: who leaves it to the client whether
	// there is one, as forged headers do, has no limit.
	ClientIP func(r *http.Request) netip.Addr
}

// Why a handshake was refused.
const (
	tooManyConnections = "Too many connections"
	tooManyOfAddress   = "Too many connections from this address"
	tooManyHandshakes  = "Too many handshakes"
)

// limiter holds the Limits of a Server.
type limiter struct {
	Limits
	handshakes *rate.Limiter // nil: no limit

	mu    sync.Mutex // guards what follows
	count shrink.Map[netip.Addr, int]
	of    shrink.Map[*Session, netip.Addr]
}

func newLimiter(l Limits) *limiter {
	m := &limiter{Limits: l}
	if l.Handshakes > 0 {
		burst := l.Burst
		if burst == 0 {
			burst = max(1, int(l.Handshakes))
		}
		m.handshakes = rate.NewLimiter(rate.Limit(l.Handshakes), burst)
	}
	return m
}

// handshake reports whether there may be one more now.
func (m *limiter) handshake() bool { return m.handshakes == nil || m.handshakes.Allow() }

// enter counts s, a session of r, and reports false if its address has enough.
func (m *limiter) enter(s *Session, r *http.Request) bool {
	if m.PerIP <= 0 {
		return true
	}
	ip, ok := m.add(r)
	if ip.IsValid() && ok {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.of.Set(s, ip)
	}
	return ok
}

// leave takes s out of the count.
func (m *limiter) leave(s *Session) {
	if m.PerIP <= 0 {
		return
	}
	m.mu.Lock()
	ip := m.of.Get(s)
	m.of.Delete(s)
	m.mu.Unlock()
	m.remove(ip)
}

// add counts the address of r, the zero Addr if that does not count, and reports
// false if it has enough.
func (m *limiter) add(r *http.Request) (ip netip.Addr, ok bool) {
	if m.PerIP <= 0 {
		return ip, true
	}
	if ip = m.address(r); !ip.IsValid() {
		return ip, true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.count.Get(ip)
	if n >= m.PerIP {
		return ip, false
	}
	m.count.Set(ip, n+1)
	return ip, true
}

// remove takes what add has counted out.
func (m *limiter) remove(ip netip.Addr) {
	if !ip.IsValid() {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := m.count.Get(ip) - 1; n > 0 {
		m.count.Set(ip, n)
	} else {
		m.count.Delete(ip)
	}
}

// address is what r counts as.
func (m *limiter) address(r *http.Request) netip.Addr {
	var ip netip.Addr
	if m.ClientIP != nil {
		ip = m.ClientIP(r)
	} else if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		ip = ap.Addr()
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		p, _ := ip.Prefix(64)
		return p.Addr()
	}
	return ip
}

// retryAfter is when to come back, for those whom a limit refuses.
const retryAfter = time.Second

// overLimit is the refusal of a handshake by a limit.
func overLimit(r *http.Request, message, limit string) *ConnectionError {
	status := http.StatusServiceUnavailable
	if message == tooManyOfAddress {
		status = http.StatusTooManyRequests
	}
	return &ConnectionError{Request: r, Code: CodeForbidden, Message: message, Context: map[string]any{"limit": limit}, status: status}
}

// Admit counts a connection that is no session, such as a plain WebSocket of the same
// program, against the server's Limits, together with the sessions, until leave is
// called; further calls of leave do nothing. refused says why there may be none: a
// limit, or the end of the server. OnConnectionError is not told of it.
func (srv *Server) Admit(r *http.Request) (leave func(), refused *ConnectionError) {
	if !srv.limits.handshake() {
		return nil, overLimit(r, tooManyHandshakes, "Handshakes")
	}
	ip, ok := srv.limits.add(r)
	if !ok {
		return nil, overLimit(r, tooManyOfAddress, "PerIP")
	}
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if e := srv.full(r); e != nil {
		srv.limits.remove(ip)
		return nil, e
	}
	srv.others++
	return sync.OnceFunc(func() {
		srv.limits.remove(ip)
		srv.mu.Lock()
		defer srv.mu.Unlock()
		srv.others--
	}), nil
}

// full says why there may be no further connection; nil is that there may. Needs mu.
func (srv *Server) full(r *http.Request) *ConnectionError {
	most := srv.cfg.Limits.Connections
	switch {
	case srv.closed:
		return &ConnectionError{Request: r, Code: CodeForbidden, Message: shuttingDown, status: http.StatusServiceUnavailable}
	case most > 0 && srv.sessions.len()+srv.others >= most: // none is added without mu
		return overLimit(r, tooManyConnections, "Connections")
	}
	return nil
}
