package config

import (
	"fmt"
	"net/http"
	"net/netip"

	"github.com/hermod-io/hermod/wscore"
)

// Proxies are those of -trusted-proxies.
func (c *Config) Proxies() []netip.Prefix {
	all, _ := c.proxies() // Parse has seen them
	return all
}

func (c *Config) validateProxies() error {
	_, err := c.proxies()
	return err
}

func (c *Config) proxies() (all []netip.Prefix, err error) {
	for _, text := range list(c.TrustedProxies) {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			addr, addrErr := netip.ParseAddr(text)
			if addrErr != nil {
				return nil, fmt.Errorf("config: -trusted-proxies: %q is no address and no network", text)
			}
			p = netip.PrefixFrom(addr.WithZone(""), addr.BitLen())
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 { // clients have the address within
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

// clientIP returns what tells the address that the limits count; nil is the
// connection's. Where headers disagree a client has forged one of them: then it
// is the proxy that counts, so that this is no way around a limit.
func (c *Config) clientIP() func(r *http.Request) netip.Addr {
	trusted := c.Proxies()
	if len(trusted) == 0 {
		return nil
	}
	return func(r *http.Request) netip.Addr {
		if addr := wscore.ClientAddr(r, trusted); addr.IsValid() {
			return addr
		}
		return wscore.ClientAddr(r, nil)
	}
}
