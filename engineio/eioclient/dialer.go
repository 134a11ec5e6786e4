package eioclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/hermod-io/hermod/wscore"
)

// Dialer makes sessions and holds what they share. Its methods may be called
// from any goroutine.
type Dialer struct {
	cfg Config
	ws  *wscore.Dialer

	wg       sync.WaitGroup
	mu       sync.Mutex // guards what follows
	sessions map[*Session]struct{}
	closed   bool
}

// NewDialer returns a Dialer. The error is that of Config.Validate.
func NewDialer(cfg Config) (*Dialer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	return &Dialer{cfg: cfg, ws: wscore.NewDialer(cfg.settings()), sessions: make(map[*Session]struct{})}, nil
}

// Dial opens a session on the server at rawURL (http, https, ws or wss; its path
// does not matter, its query is sent). It waits until the server has sent the
// handshake, ctx ends or Config.Timeout is over; ctx means nothing to the
// session afterwards. The error is a *DialError, ErrClosed, or one about the URL.
func (d *Dialer) Dial(ctx context.Context, rawURL string, h Handler) (*Session, error) {
	base, err := d.baseURL(rawURL)
	if err != nil {
		return nil, err
	}
	if d.cfg.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, d.cfg.Timeout, errTimeout)
		defer cancel()
	}
	for _, transport := range d.cfg.Transports {
		var s *Session
		if s, err = d.dial(ctx, transport, base, h); err == nil {
			return s, nil
		}
		if !d.cfg.TryAllTransports || ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

// errTimeout is the end of Config.Timeout.
var errTimeout error = timeoutError{}

type timeoutError struct{}

func (timeoutError) Error() string        { return "timeout" }
func (timeoutError) Timeout() bool        { return true }
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

func (d *Dialer) dial(ctx context.Context, transport string, base *url.URL, h Handler) (*Session, error) {
	s := newSession(d, base, h)
	if !d.add(s) {
		return nil, ErrClosed
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.ctx, func() { cancel(ErrClosed) })() // by Close
	var err error
	if transport == Polling {
		err = s.openPolling(ctx)
	} else {
		err = s.openWebSocket(ctx)
	}
	if err == nil {
		return s, nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	s.end(ForcedClose, nil) // cancels ctx
	var refused *DialError
	if errors.As(err, &refused) {
		return nil, refused
	}
	return nil, &DialError{Transport: transport, Err: err}
}

// baseURL is the URL of all requests, without the transport and the sid.
func (d *Dialer) baseURL(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("engineio: %w", err)
	}
	switch u.Scheme {
	case "ws", "http":
		u.Scheme = "http"
	case "wss", "https":
		u.Scheme = "https"
	default:
		return nil, fmt.Errorf("engineio: URL scheme %q is none of http, https, ws, wss", u.Scheme)
	}
	if u.Host == "" {
		return nil, errors.New("engineio: URL without a host")
	}
	q := u.Query()
	for k, v := range d.cfg.Query {
		q[k] = slices.Clone(v)
	}
	q.Set("EIO", "4")
	return &url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host, Path: d.cfg.Path, RawQuery: q.Encode()}, nil
}

// CheckURL reports what is wrong with a URL for Dial.
func (d *Dialer) CheckURL(rawURL string) error {
	_, err := d.baseURL(rawURL)
	return err
}

// Close closes all sessions at once, without waiting for what they have to
// send, ends every Dial under way, and waits until nothing of theirs runs any
// more, or ctx ends: that is the only error. Called from a Handler it waits for itself.
func (d *Dialer) Close(ctx context.Context) error {
	d.mu.Lock()
	d.closed = true
	all := make([]*Session, 0, len(d.sessions))
	for s := range d.sessions {
		all = append(all, s)
	}
	d.mu.Unlock()
	for _, s := range all {
		s.end(ForcedClose, nil)
	}
	if err := d.ws.Close(ctx); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() { // ends with the sessions, which were told to
		d.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (d *Dialer) add(s *Session) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.sessions[s] = struct{}{}
	return true
}

func (d *Dialer) forget(s *Session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.sessions, s)
}

// spawn runs f on a goroutine that Close waits for, unless it was called. f ends
// with its session.
func (d *Dialer) spawn(f func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.wg.Go(f)
	return true
}

// transport makes what sends the requests of one session.
func (d *Dialer) transport() *http.Transport {
	proxy := d.cfg.Proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	return &http.Transport{
		Proxy:                 proxy,
		DialContext:           d.cfg.NetDial,
		TLSClientConfig:       d.cfg.TLS.Clone(),
		TLSHandshakeTimeout:   10 * time.Second,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}
