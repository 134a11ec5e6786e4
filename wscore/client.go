package wscore

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ClientSettings are the knobs of a Client. The zero value is ready to use.
// mORMot: THttpClientWebSockets.
type ClientSettings struct {
	ProcessSettings
	// Dial says how connections are made.
	Dial DialOptions
	// NoReconnect leaves a lost connection lost.
	NoReconnect bool
	// MinBackoff and MaxBackoff bound the wait before an attempt to reconnect: it is
	// random, at most MinBackoff before the first one, and that doubles up to MaxBackoff,
	// until a connection has lasted for MaxBackoff. 0 means 200 ms and 15 s.
	MinBackoff, MaxBackoff time.Duration
	// OnLost is told that the connection was lost (attempt 0), after OnDisconnect, and of
	// each attempt to have it again that failed (1, 2, …). When the server has closed the
	// connection normally (1000) there are no further attempts.
	OnLost func(err error, attempt int)
	// OnReconnect is told of the new connection, before OnLost is of its end; its Upgrade
	// tells in Resumed whether the server knows it as the old one.
	OnReconnect func(p *Process)
}

func (s *ClientSettings) minBackoff() time.Duration {
	return max(orDefault(s.MinBackoff, 200*time.Millisecond), time.Millisecond)
}

func (s *ClientSettings) maxBackoff() time.Duration {
	return max(orDefault(s.MaxBackoff, 15*time.Second), s.minBackoff())
}

// Client keeps a connection to a server: when it is lost, another one is made,
// which resumes it if the server agrees. A server that closes normally (1000) has
// no more to say: the Client then stays without a connection until Connect is
// called again. A server that shuts down or restarts closes with another code.
// Its methods may be called from any goroutine. The zero value is not usable, see NewClient.
// mORMot: THttpClientWebSockets.
type Client struct {
	url      string
	spec     ProtocolSpec
	settings ClientSettings
	dialer   *Dialer
	stop     context.Context // ends with Close
	stopNow  context.CancelFunc
	running  sync.WaitGroup

	mu      sync.Mutex // guards what follows
	current *Process   // nil while cut off
	token   string     // by which the last connection can be resumed
	lastID  int64
	begun   bool
	tries   int // attempts to reconnect since a connection lasted
}

// ErrConnected is returned by [Client.Connect] when the Client is connected, or
// another Connect waits.
var ErrConnected = errors.New("wscore: client is connected already")

// NewClient returns a Client for the server at url, see [Dialer.Dial]. It
// offers the names of spec; spec.URI and spec.Check are not used. settings is copied.
// It panics if spec has no New.
func NewClient(url string, spec ProtocolSpec, settings ClientSettings) *Client {
	if spec.New == nil {
		panic("wscore: ProtocolSpec without New")
	}
	conn := settings.Conn
	conn.Subprotocols = spec.Names
	c := &Client{url: url, spec: spec, settings: settings, dialer: NewDialer(conn)}
	c.stop, c.stopNow = context.WithCancel(context.Background())
	return c
}

// Connect makes the first connection; when that fails nothing is tried again, and
// Connect may be called again. From then on the Client keeps connected until Close,
// which also ends a Connect that waits (net.ErrClosed). It returns when OnConnect
// and the protocol's OnOpen have, so they must not call it, and a [Readier] is ready,
// or ctx ends. Errors, with a nil Process: [ErrConnected], those of [Dialer.Dial],
// ctx's cause, and the *CloseError of a connection that ended before; OnDisconnect is
// given the Process of that. RFC 6455 section 4.1.
func (c *Client) Connect(ctx context.Context) (*Process, error) {
	c.mu.Lock()
	if c.begun {
		c.mu.Unlock()
		return nil, ErrConnected
	}
	c.begun = true
	c.mu.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.stop, func() { cancel(net.ErrClosed) })()
	p, err := c.connect(ctx, func(*Process) {})
	if err != nil {
		if c.stop.Err() != nil {
			err = net.ErrClosed
		}
		c.rest()
	}
	return p, err
}

// rest lets Connect be called again.
func (c *Client) rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun = false
}

// Process is the present connection, or nil while there is none.
// mORMot: THttpClientWebSockets.WebSockets.
func (c *Client) Process() *Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

// Close closes the connection (1000), for good, and waits until it has ended, and
// the callbacks returned: one that wants it, such as OnLost, needs a goroutine for it. When ctx ends first it is dropped, and the error is
// ctx's cause. RFC 6455 section 7.1.2.
func (c *Client) Close(ctx context.Context) error {
	c.stopNow()
	var err error
	if p := c.Process(); p != nil {
		_ = p.Close(CloseNormal, "")
		select {
		case <-p.Done():
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	if cerr := c.dialer.Close(ctx); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { // ends with the callback that is waited for
		defer close(ended)
		c.running.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// connect makes one connection and runs the protocol on it. When it is of use it
// is announced, before its end is told.
func (c *Client) connect(ctx context.Context, announce func(*Process)) (*Process, error) {
	o := c.settings.Dial
	c.mu.Lock()
	if c.token != "" {
		o.Header = o.Header.Clone()
		if o.Header == nil {
			o.Header = http.Header{}
		}
		o.Header["Sec-WebSocket-Resume"] = []string{c.token}
	}
	lastID := c.lastID
	c.mu.Unlock()
	conn, resp, err := c.dialer.Dial(ctx, c.url, &o)
	if err != nil {
		return nil, err
	}
	if len(c.spec.Names) > 0 && conn.Subprotocol() == "" {
		_ = conn.CloseNow()
		return nil, &HandshakeError{resp.StatusCode, "answered without a subprotocol"}
	}
	u := c.upgrade(conn, resp, &o)
	u.Resumed = u.ID != 0 && u.ID == lastID
	try := &attempt{announced: make(chan struct{})}
	p := newProcess(conn, &c.settings.ProcessSettings, u, func(p *Process, err error) { c.ended(p, err, try) })
	p.build(&c.spec)
	c.mu.Lock()
	c.current, c.token, c.lastID = p, resp.Header.Get("Sec-Websocket-Resume"), u.ID
	c.mu.Unlock()
	p.start()
	if c.stop.Err() != nil { // Close may have looked before p was there
		_ = p.CloseNow()
		return nil, net.ErrClosed
	}
	if err := c.settle(ctx, p, try); err != nil {
		return nil, err
	}
	announce(p)
	close(try.announced)
	return p, nil
}

// attempt is a connection that may not be of use yet.
type attempt struct {
	announced chan struct{} // closed when it was, after it settled

	settled bool      // guarded by the Client's mu
	since   time.Time // when it settled
}

// settle waits until p is of use. Its end is a loss only after that; before, the
// attempt has failed.
func (c *Client) settle(ctx context.Context, p *Process, try *attempt) error {
	if err := ready(ctx, p); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-p.done:
		return p.err
	default:
		try.settled, try.since = true, time.Now()
		return nil
	}
}

// ready waits until the protocol was told that it runs, and is of use if it is a
// Readier.
func ready(ctx context.Context, p *Process) error {
	<-p.started
	r, ok := p.proto.(Readier)
	if !ok {
		return nil
	}
	select {
	case <-r.Ready():
		return nil
	case <-p.done:
		return p.err
	case <-ctx.Done():
		_ = p.CloseNow()
		return context.Cause(ctx)
	}
}

// upgrade is what the handshake said, seen from here.
func (c *Client) upgrade(conn *Conn, resp *http.Response, o *DialOptions) Upgrade {
	id, _ := strconv.ParseInt(resp.Header.Get("Sec-Websocket-Connection-Id"), 10, 64)
	u := Upgrade{ID: id, Subprotocol: conn.Subprotocol(), BearerToken: bearer(o.Header)}
	if t, err := url.Parse(c.url); err == nil {
		u.URI = strings.TrimPrefix(t.RequestURI(), "/")
		u.Secure = slices.Contains([]string{"wss", "https"}, t.Scheme)
	}
	return u
}
