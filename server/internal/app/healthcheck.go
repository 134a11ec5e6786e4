package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Healthcheck asks a server that listens on addr, with TLS if secure, whether it is
// ready. No proxy is asked, and the port may have a name. The certificate is verified
// for the host of addr unless that is this machine's loopback, which nobody else answers
// on: what a certificate names is seldom localhost.
func Healthcheck(addr string, secure bool) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if host == "" || net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(host, port))
	}
	url, transport := "http://localhost/readyz", &http.Transport{DialContext: dial}
	if secure {
		url = "https://localhost/readyz"
		transport.DialTLSContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			nc, err := dial(ctx, network, "")
			if err != nil {
				return nil, err
			}
			return tls.Client(nc, &tls.Config{ServerName: host, InsecureSkipVerify: isLoopback(nc.RemoteAddr())}), nil
		}
	}
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Timeout: 3 * time.Second, Transport: transport}).Get(url)
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("app: %s", res.Status)
	}
	return nil
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
