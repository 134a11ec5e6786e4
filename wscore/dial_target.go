package wscore

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/proxy"
)

// target is where a URL leads.
type target struct {
	url     *url.URL // an http or https one
	network string
	addr    string
	secure  bool
}

// parseTarget reads a URL. RFC 6455 section 3.
func parseTarget(rawURL string) (*target, error) {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return nil, err
	case u.Fragment != "" || strings.HasSuffix(rawURL, "#"):
		return nil, errors.New("URL with a fragment")
	}
	t := &target{url: u, network: "tcp"}
	switch u.Scheme {
	case "ws", "http":
		u.Scheme = "http"
	case "wss", "https":
		u.Scheme, t.secure = "https", true
	case "ws+unix":
		return unixTarget(u)
	default:
		return nil, fmt.Errorf("URL scheme %q is none of ws, wss, http, https, ws+unix", u.Scheme)
	}
	if u.Hostname() == "" {
		return nil, errors.New("URL without a host")
	}
	t.addr = hostPort(u)
	return t, nil
}

// unixTarget reads the path of a socket and, behind a colon, that of the request.
func unixTarget(u *url.URL) (*target, error) {
	socket, uri, _ := strings.Cut(u.EscapedPath(), ":")
	path, err := url.PathUnescape(socket)
	switch {
	case err != nil:
		return nil, err
	case path == "" || u.Host != "":
		return nil, errors.New("URL without the whole path of a socket")
	case uri != "" && uri[0] != '/':
		return nil, errors.New("URI for a unix socket without a slash")
	}
	of, err := url.Parse("http://localhost" + uri)
	if err != nil {
		return nil, err
	}
	of.RawQuery, of.User = u.RawQuery, u.User
	return &target{url: of, network: "unix", addr: path}, nil
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// connect makes the stream: through a proxy if there is one, and with TLS if
// the target asks for it.
func connect(ctx context.Context, t *target, req *http.Request, o *DialOptions) (net.Conn, error) {
	nc, err := connectRaw(ctx, t, req, o)
	if err != nil || !t.secure {
		return nc, err
	}
	return startTLS(ctx, nc, t.url.Hostname(), o.TLS)
}

func connectRaw(ctx context.Context, t *target, req *http.Request, o *DialOptions) (net.Conn, error) {
	if t.network == "unix" {
		return o.netDial(ctx, t.network, t.addr)
	}
	via, err := o.proxy(req)
	switch {
	case err != nil:
		return nil, err
	case via == nil:
		return o.netDial(ctx, t.network, t.addr)
	case via.Scheme == "http" || via.Scheme == "https":
		return connectHTTP(ctx, via, t.addr, o)
	}
	d, err := proxy.FromURL(via, dialFunc(o.netDial))
	if err != nil {
		return nil, err
	}
	if cd, ok := d.(proxy.ContextDialer); ok {
		return cd.DialContext(ctx, t.network, t.addr)
	}
	return d.Dial(t.network, t.addr)
}

// dialFunc is a proxy.Dialer and proxy.ContextDialer.
type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

func (f dialFunc) Dial(network, addr string) (net.Conn, error) {
	return f(context.Background(), network, addr)
}

func (f dialFunc) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return f(ctx, network, addr)
}

func startTLS(ctx context.Context, nc net.Conn, host string, cfg *tls.Config) (net.Conn, error) {
	if cfg == nil {
		cfg = new(tls.Config)
	} else {
		cfg = cfg.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = host
	}
	if len(cfg.NextProtos) == 0 {
		cfg.NextProtos = []string{"http/1.1"}
	}
	tc := tls.Client(nc, cfg)
	if err := tc.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, err
	}
	return tc, nil
}

// connectHTTP asks an HTTP proxy for a tunnel. RFC 9110 section 9.3.6.
func connectHTTP(ctx context.Context, via *url.URL, addr string, o *DialOptions) (net.Conn, error) {
	nc, err := o.netDial(ctx, "tcp", hostPort(via))
	if err != nil {
		return nil, err
	}
	if via.Scheme == "https" {
		if nc, err = startTLS(ctx, nc, via.Hostname(), nil); err != nil {
			return nil, err
		}
	}
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: http.Header{}}
	if u := via.User; u != nil {
		password, _ := u.Password()
		req.Header.Set("Proxy-Authorization",
			"Basic "+base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
	}
	stop := interruptible(ctx, nc)
	err = askTunnel(nc, req)
	if why := stop(); why != nil {
		err = why
	}
	if err != nil {
		_ = nc.Close()
		return nil, err
	}
	return nc, nil
}

func askTunnel(nc net.Conn, req *http.Request) error {
	if err := req.Write(nc); err != nil {
		return err
	}
	resp, early, err := readResponse(nc, req)
	switch {
	case err != nil:
		return err
	case resp.StatusCode/100 != 2:
		return fmt.Errorf("proxy answered %s", resp.Status)
	case len(early) > 0:
		return errors.New("proxy sent bytes of its own into the tunnel")
	}
	return nil
}

// maxResponse is the longest head of a response, in bytes.
const maxResponse = 64 << 10

// readResponse reads the head of a response, and returns what came behind it.
// Informational ones before it are passed over. RFC 9110 section 15.2.
func readResponse(nc net.Conn, req *http.Request) (resp *http.Response, early []byte, err error) {
	lim := &io.LimitedReader{R: nc, N: maxResponse}
	br := bufio.NewReader(lim)
	for {
		resp, err = http.ReadResponse(br, req)
		if err != nil || resp.StatusCode/100 != 1 || resp.StatusCode == http.StatusSwitchingProtocols {
			break
		}
	}
	switch {
	case lim.N <= 0:
		return nil, nil, errors.New("head of the response too long")
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return nil, nil, errNoAnswer
	case err != nil:
		return nil, nil, err
	case resp.StatusCode != http.StatusSwitchingProtocols && req.Method != http.MethodConnect:
		return resp, nil, nil // with a body, which is read later
	}
	return resp, buffered(br), nil
}

// shortBody is the beginning of a body, read.
func shortBody(body io.ReadCloser) io.ReadCloser {
	b, _ := io.ReadAll(io.LimitReader(body, 1<<10))
	return io.NopCloser(bytes.NewReader(b))
}
