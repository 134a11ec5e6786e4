package wscore

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientAddr is the address of who sent the request: that of the stream, or if
// that is of a trusted proxy the nearest one that is not, in the order in which
// the proxies tell. RFC 7239; X-Forwarded-For; X-Real-IP.
func clientAddr(r *http.Request, trusted []netip.Prefix) netip.Addr {
	addr := parseAddr(r.RemoteAddr)
	isTrusted := func(a netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	if !isTrusted(addr) && (addr.IsValid() || len(trusted) == 0) {
		return addr
	}
	hops := forwardedFor(r.Header)
	for _, hop := range slices.Backward(hops) {
		next := parseAddr(hop)
		if !next.IsValid() {
			return addr // what lies behind is hearsay
		}
		if addr = next; !isTrusted(addr) {
			return addr
		}
	}
	return addr
}

// forwardedFor lists the addresses that proxies added, the nearest last.
func forwardedFor(h http.Header) (hops []string) {
	for _, v := range h.Values("Forwarded") {
		for element := range strings.SplitSeq(v, ",") {
			for pair := range strings.SplitSeq(element, ";") {
				if name, value, _ := strings.Cut(pair, "="); strings.EqualFold(strings.TrimSpace(name), "for") {
					hops = append(hops, value)
				}
			}
		}
	}
	if len(hops) > 0 {
		return hops
	}
	for _, v := range h.Values("X-Forwarded-For") {
		hops = append(hops, strings.Split(v, ",")...)
	}
	if len(hops) == 0 && h.Get("X-Real-Ip") != "" {
		hops = append(hops, h.Get("X-Real-Ip"))
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
