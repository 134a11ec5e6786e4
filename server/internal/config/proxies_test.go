package config

import (
	"io"
	"net/http"
	"testing"
)

// The limits count clients, not the proxy, where it is trusted; whoever forges
// what it says is counted as the proxy.
func TestTrustedProxies(t *testing.T) {
	c, err := Parse([]string{"-trusted-proxies", "10.1.2.3, 192.168.7.9/16,fd00::/8,::ffff:10.9.0.1,::ffff:10.8.0.0/112,fe80::1%eth0"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ip := c.SocketIO().Engine.Limits.ClientIP
	for _, tt := range []struct{ peer, forwardedFor, forwarded, want string }{
		{"10.1.2.3:5", "203.0.113.7", "", "203.0.113.7"},
		{"10.1.2.3:5", "6.6.6.6, 203.0.113.7, 192.168.1.1", "", "203.0.113.7"},
		{"[fd00::1]:5", "203.0.113.7", "", "203.0.113.7"},
		{"10.1.2.3:5", "203.0.113.7", "for=6.6.6.6", "10.1.2.3"},
		{"10.1.2.3:5", "", "", "10.1.2.3"},
		{"10.1.2.4:5", "203.0.113.7", "", "10.1.2.4"},
		{"10.9.0.1:5", "203.0.113.7", "", "203.0.113.7"},
		{"10.8.7.7:5", "203.0.113.7", "", "203.0.113.7"},
		{"[fe80::1%eth1]:5", "203.0.113.7", "", "203.0.113.7"},
	} {
		r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{}}
		if tt.forwardedFor != "" {
			r.Header.Set("X-Forwarded-For", tt.forwardedFor)
		}
		if tt.forwarded != "" {
			r.Header.Set("Forwarded", tt.forwarded)
		}
		if got := ip(r); got.String() != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
	if len(c.Proxies()) != 6 || c.Proxies()[1].String() != "192.168.0.0/16" {
		t.Errorf("proxies %v", c.Proxies())
	}
	if c, err = Parse(nil, io.Discard); err != nil || c.SocketIO().Engine.Limits.ClientIP != nil {
		t.Errorf("without proxies the address is the connection's, %v", err)
	}
}
