package eioclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hermod-io/hermod/wscore"
)

// The transports.
const (
	Polling   = "polling"   // HTTP long-polling
	WebSocket = "websocket" // WebSocket
)

// Config configures a Dialer; the zero value has the official client's
// defaults, but for the bounds. It is copied by NewDialer. Numbers and
// durations: 0 is the default, negative is off where that makes sense.
type Config struct {
	// Path is where the server is mounted; "" means "/engine.io". JS: path.
	Path string
	// NoTrailingSlash leaves out the slash behind Path. JS: addTrailingSlash (inverted).
	NoTrailingSlash bool
	// Query is added to the query of the URL. JS: query.
	Query url.Values
	// Header is sent with every request, those of a WebSocket included. JS: extraHeaders.
	Header http.Header
	// Transports are those that may be used, the first to begin with; nil means
	// polling, websocket. A list that is empty but not nil is refused. JS: transports.
	Transports []string
	// TryAllTransports tries the next transport when the first one fails. JS:
	// tryAllTransports.
	TryAllTransports bool
	// NoUpgrade stays with the first transport. JS: upgrade (inverted).
	NoUpgrade bool
	// TLS is used for https and wss; nil is the default configuration.
	TLS *tls.Config
	// NetDial makes the connection to the server or proxy; nil is that of net.Dialer.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Proxy returns the proxy for a request (http, https, socks5), or nil for none;
	// nil is http.ProxyFromEnvironment.
	Proxy func(*http.Request) (*url.URL, error)
	// RoundTripper sends the requests of long-polling, in place of one made of
	// TLS, NetDial and Proxy for each session. JS: agent.
	RoundTripper http.RoundTripper
	// Jar keeps the cookies of the server; nil means that they are ignored. JS:
	// withCredentials.
	Jar http.CookieJar
	// Deflate offers permessage-deflate over WebSocket; nil does not. JS:
	// perMessageDeflate.
	Deflate *wscore.Deflate
	// Timeout bounds Dial, and each try of an upgrade; 0 means 20 s, negative for ever. JS:
	// timeout of a Manager.
	Timeout time.Duration
	// MaxMessage is the size limit of what is received at once, in bytes: a
	// message over WebSocket, a response of long-polling. 0 means 100 MiB,
	// negative none.
	MaxMessage int64
	// Queue bounds what waits to be sent.
	Queue Queue
	// Log takes diagnostics; nil is silent.
	Log *slog.Logger
}

// Queue bounds what waits to be sent by one session. A message that finds it
// full is refused with ErrQueueFull, except that an empty queue takes any
// message. What the protocol itself must say may exceed the bound by a quarter;
// beyond that the session ends, with transport error.
type Queue struct {
	Bytes   int // 0 means 4 MiB
	Packets int // 0 means 4096
}

// Handler is told of what happens to a session. Each function may be nil. They
// are called one at a time, but for OnUpgrade.
type Handler struct {
	// OnOpen is called first, before Dial returns and before any message.
	OnOpen func(s *Session)
	// OnMessage is called for each message. data is lent until it returns; text is
	// UTF-8, with U+FFFD for what long-polling let through. It may block, see the package.
	OnMessage func(binary bool, data []byte)
	// OnPing is called when the server has sent a ping, which is answered.
	OnPing func()
	// OnUpgrade is called when the session has changed to WebSocket. Messages
	// may arrive meanwhile.
	OnUpgrade func()
	// OnClose is called once, last, if OnOpen was or would have been. err says
	// more than reason and may be nil.
	OnClose func(reason Reason, err error)
}

// Validate reports the first setting that makes no sense.
func (c *Config) Validate() error {
	for _, t := range c.Transports {
		if t != Polling && t != WebSocket {
			return fmt.Errorf("engineio: Transports: %q is none of polling, websocket", t)
		}
	}
	switch {
	case c.Transports != nil && len(c.Transports) == 0:
		return errors.New("engineio: Transports is empty")
	case c.Queue.Bytes < 0 || c.Queue.Packets < 0:
		return errors.New("engineio: Queue is negative: there is no queue without a bound")
	}
	return nil
}

// withDefaults returns c with its zero fields filled in.
func (c Config) withDefaults() Config {
	if c.Path == "" {
		c.Path = "/engine.io"
	}
	c.Path = strings.TrimSuffix(c.Path, "/")
	if !c.NoTrailingSlash {
		c.Path += "/"
	}
	if c.Transports == nil {
		c.Transports = []string{Polling, WebSocket}
	}
	if c.Timeout == 0 {
		c.Timeout = 20 * time.Second
	}
	if c.MaxMessage == 0 {
		c.MaxMessage = 100 << 20
	}
	if c.Queue.Bytes == 0 {
		c.Queue.Bytes = 4 << 20
	}
	if c.Queue.Packets == 0 {
		c.Queue.Packets = 4096
	}
	return c
}

// maxFrameHeader is the longest header of a client's frame. RFC 6455 section 5.2.
const maxFrameHeader = 14

// settings are those of the WebSocket floor. The queue there has room for all
// that a full queue of ours becomes.
func (c *Config) settings() wscore.Settings {
	return wscore.Settings{
		MaxMessage: c.MaxMessage,
		Deflate:    c.Deflate,
		Log:        c.Log,
		Queue: wscore.Queue{
			Bytes:   c.Queue.Bytes + maxFrameHeader*c.Queue.Packets,
			Packets: c.Queue.Packets,
			OnFull:  wscore.DropNewest,
		},
	}
}
