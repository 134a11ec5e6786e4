package wscore

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientAddr returns the address of who sent a request: that of the stream, or if
// that is of a trusted proxy the nearest one that is not, in the order in which
// the proxies tell (Forwarded, X-Forwarded-For, X-Real-IP). A proxy passes on the
// headers that it does not add to itself, so a client may forge those: when
// headers tell of different clients it is unknown, the zero Addr. RFC 7239.
func ClientAddr(r *http.Request, trusted []netip.Prefix) netip.Addr {
	addr := parseAddr(r.RemoteAddr)
	isTrusted := func(a netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a.WithZone("")) })
	}
	if !isTrusted(addr) && (addr.IsValid() || len(trusted) == 0) {
		return addr
	}
	var client netip.Addr
	proxy := addr // the farthest that is told of
	for _, hops := range [][]string{forwarded(r.Header), forwardedFor(r.Header), r.Header.Values("X-Real-Ip")} {
		far, known := farthest(hops, isTrusted)
		switch {
		case !known && far.IsValid() && proxy == addr:
			proxy = far
		case known && client.IsValid() && client != far:
			return netip.Addr{}
		case known:
			client = far
		}
	}
	if client.IsValid() {
		return client
	}
	return proxy
}

// farthest goes from the nearest of hops, the last one, to the first that is not
// trusted; known reports whether there is one. What lies behind it, or behind
// what is no address, is hearsay.
func farthest(hops []string, isTrusted func(netip.Addr) bool) (addr netip.Addr, known bool) {
	for _, hop := range slices.Backward(hops) {
		next := parseAddr(hop)
		if !next.IsValid() {
			return addr, false
		}
		if addr = next; !isTrusted(addr) {
			return addr, true
		}
	}
	return addr, false
}

// forwarded lists the addresses in Forwarded, the nearest last. RFC 7239 section 4.
func forwarded(h http.Header) (hops []string) {
	for _, v := range h.Values("Forwarded") {
		for element := range strings.SplitSeq(v, ",") {
			for pair := range strings.SplitSeq(element, ";") {
				if name, value, _ := strings.Cut(pair, "="); strings.EqualFold(strings.TrimSpace(name), "for") {
					hops = append(hops, value)
				}
			}
		}
	}
	return hops
}

// forwardedFor lists the addresses in X-Forwarded-For, the nearest last.
func forwardedFor(h http.Header) (hops []string) {
	for _, v := range h.Values("X-Forwarded-For") {
		hops = append(hops, strings.Split(v, ",")...)
	}
	return hops
}

// parseAddr reads an address with or without a port, quotes and brackets.
func parseAddr(s string) netip.Addr {
	s = strings.Trim(strings.TrimSpace(s), `"`)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap()
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}
