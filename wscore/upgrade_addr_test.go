package wscore

import (
	"net/http"
	"net/netip"
	"testing"
)

// A proxy that adds to one header passes the others on as the client sent them:
// X-Forwarded-For of nginx was outdone by a Forwarded of the client's own.
func TestClientAddrOfHeadersThatDisagree(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for name, tt := range map[string]struct {
		header http.Header
		want   string // "" is unknown
	}{
		"forged Forwarded":   {http.Header{"X-Forwarded-For": {"203.0.113.7"}, "Forwarded": {"for=6.6.6.6"}}, ""},
		"forged X-Forwarded": {http.Header{"X-Real-Ip": {"203.0.113.7"}, "X-Forwarded-For": {"6.6.6.6"}}, ""},
		"they agree":         {http.Header{"X-Real-Ip": {"203.0.113.7"}, "X-Forwarded-For": {"6.6.6.6, 203.0.113.7"}, "Forwarded": {"for=203.0.113.7"}}, "203.0.113.7"},
		"one tells of a proxy": {http.Header{"X-Real-Ip": {"10.2.2.2"}, "X-Forwarded-For": {"203.0.113.7, 10.2.2.2"}},
			"203.0.113.7"},
		"one says nothing": {http.Header{"Forwarded": {"for=unknown"}, "X-Forwarded-For": {"203.0.113.7"}}, "203.0.113.7"},
		"none":             {http.Header{}, "10.1.1.1"},
		"only proxies":     {http.Header{"X-Forwarded-For": {"10.3.3.3, 10.2.2.2"}}, "10.3.3.3"},
	} {
		r := &http.Request{RemoteAddr: "10.1.1.1:5", Header: tt.header}
		var want netip.Addr
		if tt.want != "" {
			want = netip.MustParseAddr(tt.want)
		}
		if got := ClientAddr(r, trusted); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
