package wscore

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hermod-io/hermod/internal/httplist"
)

// Dialer makes connections and holds what they share: settings, timers, and
// the flushers of their queues. The zero value is not usable, see NewDialer.
// RFC 6455 section 4.1.
type Dialer struct{ group }

// NewDialer returns a Dialer. settings is copied; its Subprotocols and Deflate
// are what is offered, its Origins are not used.
func NewDialer(settings Settings) *Dialer { return &Dialer{newGroup(settings)} }

// NewConn returns the client side of a connection whose handshake is done.
// RFC 6455 section 5.1.
func (d *Dialer) NewConn(rwc io.ReadWriteCloser) *Conn { return d.newConn(rwc, nil, true) }

// DialOptions say how a connection is made. The zero value is ready to use.
// RFC 6455 section 4.1.
type DialOptions struct {
	// Header is sent with the request. What belongs to the handshake is left out;
	// Host sets the Host header.
	Header http.Header
	// TLS is used for wss; nil is the default configuration.
	TLS *tls.Config
	// Proxy returns the proxy for a request (http, https, socks5), or nil for none;
	// nil is http.ProxyFromEnvironment.
	Proxy func(*http.Request) (*url.URL, error)
	// NetDial makes the connection to the server or proxy; nil is that of net.Dialer.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Timeout bounds the whole of it; 0 means 30 s, negative none but ctx.
	Timeout time.Duration
}

func (o *DialOptions) timeout() time.Duration { return orDefault(o.Timeout, 30*time.Second) }

func (o *DialOptions) proxy(r *http.Request) (*url.URL, error) {
	if o.Proxy != nil {
		return o.Proxy(r)
	}
	return http.ProxyFromEnvironment(r)
}

func (o *DialOptions) netDial(ctx context.Context, network, addr string) (net.Conn, error) {
	if o.NetDial != nil {
		return o.NetDial(ctx, network, addr)
	}
	return new(net.Dialer).DialContext(ctx, network, addr)
}

// Dial is [Dialer.Dial] for a connection that shares nothing: it has a Dialer
// of its own, with a copy of settings (nil is the zero value).
// RFC 6455 section 4.1.
func Dial(ctx context.Context, rawURL string, settings *Settings, o *DialOptions) (*Conn, *http.Response, error) {
	if settings == nil {
		settings = new(Settings)
	}
	return NewDialer(*settings).Dial(ctx, rawURL, o)
}

// Dial connects to a WebSocket server. RFC 6455 section 4.1. The URL is a ws,
// wss, http or https one, or ws+unix:///path/of/socket:/uri for a unix socket
// (a colon of its path is written %3A). A name and password in it are sent as
// Authorization, if the Header has none. Redirects are not followed. o may be nil.
// It waits until the handshake is done, ctx ends or the Timeout is over; ctx means
// nothing to the connection afterwards. As long as nothing is read the connection
// answers no ping: call Serve or Read.
//
// The response is that of the server, also with a *HandshakeError, which says
// that there is no valid connection; then its Body holds at most 1 KiB. Other
// errors, which wrap ctx's cause or what the network says, have no response.
func (d *Dialer) Dial(ctx context.Context, rawURL string, o *DialOptions) (*Conn, *http.Response, error) {
	if o == nil {
		o = new(DialOptions)
	}
	t, err := parseTarget(rawURL)
	if err != nil {
		return nil, nil, fmt.Errorf("wscore: dial: %w", err)
	}
	if o.timeout() > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.timeout())
		defer cancel()
	}
	req, key := d.request(t, o)
	nc, err := connect(ctx, t, req, o)
	if err != nil {
		return nil, nil, fmt.Errorf("wscore: dial: %w", err)
	}
	c, resp, err := d.handshake(ctx, nc, req, key)
	if err != nil {
		_ = nc.Close()
	}
	return c, resp, err
}

// request is the client's part of the handshake, with its key. RFC 6455 section
// 4.1.
func (d *Dialer) request(t *target, o *DialOptions) (r *http.Request, key string) {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // never fails
	key = base64.StdEncoding.EncodeToString(nonce[:])
	h := http.Header{}
	for name, values := range o.Header {
		if !ofHandshake(name) {
			h[http.CanonicalHeaderKey(name)] = values
		}
	}
	h.Set("Upgrade", "websocket")
	h.Set("Connection", "Upgrade")
	h["Sec-WebSocket-Key"] = []string{key}
	h["Sec-WebSocket-Version"] = []string{"13"}
	if len(d.settings.Subprotocols) > 0 {
		h["Sec-WebSocket-Protocol"] = []string{strings.Join(d.settings.Subprotocols, ", ")}
	}
	if d.settings.Deflate != nil {
		h["Sec-WebSocket-Extensions"] = []string{d.settings.Deflate.offer()}
	}
	r = &http.Request{Method: http.MethodGet, URL: t.url, Host: t.url.Host, Header: h, ProtoMajor: 1, ProtoMinor: 1}
	if host := h.Get("Host"); host != "" {
		r.Host = host
		h.Del("Host")
	}
	if u := t.url.User; u != nil && h.Get("Authorization") == "" {
		password, _ := u.Password()
		r.SetBasicAuth(u.Username(), password)
	}
	return r, key
}

// handshake sends the request and checks the answer.
func (d *Dialer) handshake(ctx context.Context, nc net.Conn, req *http.Request, key string) (*Conn, *http.Response, error) {
	stop := interruptible(ctx, nc)
	if err := req.Write(nc); err != nil {
		return nil, nil, dialError(ctx, stop, err)
	}
	resp, early, err := readResponse(nc, req)
	if err != nil {
		return nil, nil, dialError(ctx, stop, err)
	}
	p, err := d.verify(key, resp)
	if err != nil {
		resp.Body = shortBody(resp.Body)
		stop()
		return nil, resp, err
	}
	if err := stop(); err != nil {
		return nil, nil, dialError(ctx, stop, err)
	}
	resp.Body = http.NoBody
	c := d.newConn(nc, early, true)
	c.negotiate(resp.Header.Get("Sec-Websocket-Protocol"), strings.Join(resp.Header.Values("Sec-Websocket-Extensions"), ", "), p)
	return c, resp, nil
}

// interruptible makes what waits for nc end with ctx; without deadlines nc is
// closed. The function it returns ends that, and reports whether ctx had ended.
func interruptible(ctx context.Context, nc net.Conn) (stop func() error) {
	done := make(chan struct{})
	after := context.AfterFunc(ctx, func() {
		if nc.SetDeadline(time.Unix(1, 0)) != nil {
			_ = nc.Close()
		}
		close(done)
	})
	return func() error {
		if !after() && ctx.Err() != nil {
			<-done
			return context.Cause(ctx)
		}
		return nil
	}
}

func dialError(ctx context.Context, stop func() error, err error) error {
	if why := stop(); why != nil {
		err = context.Cause(ctx)
	}
	return fmt.Errorf("wscore: dial: %w", err)
}

// verify checks the server's part of the handshake. RFC 6455 section 4.1, last
// list.
func (d *Dialer) verify(key string, resp *http.Response) (p deflateParams, err error) {
	bad := func(msg string) (deflateParams, error) { return p, &HandshakeError{resp.StatusCode, msg} }
	protocols := resp.Header.Values("Sec-Websocket-Protocol")
	extensions := resp.Header.Values("Sec-Websocket-Extensions")
	switch {
	case resp.StatusCode != http.StatusSwitchingProtocols:
		return bad("answered " + resp.Status)
	case !httplist.Has(resp.Header["Upgrade"], "websocket") || !httplist.Has(resp.Header["Connection"], "upgrade"):
		return bad("answered without an upgrade to websocket")
	case resp.Header.Get("Sec-Websocket-Accept") != acceptKey(key):
		return bad("answered with a wrong Sec-WebSocket-Accept")
	case len(protocols) > 1 || len(protocols) == 1 && !slices.Contains(d.settings.Subprotocols, protocols[0]):
		return bad("answered with a subprotocol that was not offered")
	case len(extensions) == 0:
		return p, nil
	case d.settings.Deflate == nil:
		return bad("answered with an extension that was not offered")
	}
	p, ok, err := d.settings.Deflate.accepted(extensions)
	if err != nil || !ok {
		return bad(fmt.Sprintf("answered with bad extensions: %v", err))
	}
	return p, nil
}

// errNoAnswer is the end of a stream where a response should be.
var errNoAnswer = errors.New("connection closed before the handshake was answered")
