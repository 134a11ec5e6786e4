package engineio

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits bound who may open a session. The zero value has no limit, as the
// official server. A request that is refused gets 503 (429 when the limit is one
// address's own) with code 4, a text that says why, and Retry-After;
// OnConnectionError is told, with the name of the limit in its context.
// Sessions that are open are never touched.
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
	count map[netip.Addr]int
	of    map[*Session]netip.Addr
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
	if l.PerIP > 0 {
		m.count, m.of = make(map[netip.Addr]int), make(map[*Session]netip.Addr)
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
	ip := m.address(r)
	if !ip.IsValid() {
		return true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.count[ip] >= m.PerIP {
		return false
	}
	m.count[ip]++
	m.of[s] = ip
	return true
}

// leave takes s out of the count.
func (m *limiter) leave(s *Session) {
	if m.PerIP <= 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	ip, ok := m.of[s]
	if !ok {
		return
	}
	delete(m.of, s)
	if m.count[ip]--; m.count[ip] == 0 {
		delete(m.count, ip)
	}
	if len(m.of) == 0 { // maps do not shrink
		m.count, m.of = make(map[netip.Addr]int), make(map[*Session]netip.Addr)
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
