package nodes

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hermod-io/hermod/socketio/sioclient"
)

// ClientOptions says how a client connects.
type ClientOptions struct {
	Name  string            // goes into failures
	Query map[string]string // of the URL
	Auth  any               // the CONNECT payload; nil is none
	// Reconnect lets the client connect again by itself, after 50 ms at first.
	Reconnect bool
}

// Heard is an event that a client received.
type Heard struct {
	Event string
	Args  string // a JSON array in the form of Canon
}

// Client is a client of a node in one namespace. It remembers all events; those
// that ask for an ack are answered as Answer says.
type Client struct {
	Name   string
	Socket *sioclient.Socket
	// ID is that of the first connection.
	ID string
	t  testing.TB

	mu      sync.Mutex // guards what follows
	heard   []Heard
	reason  sioclient.Reason
	answer  any
	mute    bool
	changed chan struct{} // closed at the next change
}

// Dial connects a client, which ends with the test.
func (n *Node) Dial(t testing.TB, nsp string, o ClientOptions) *Client {
	t.Helper()
	values := url.Values{}
	for k, v := range o.Query {
		values.Set(k, v)
	}
	cfg := sioclient.Config{
		NoReconnection: !o.Reconnect,
		Reconnection:   sioclient.Reconnection{Delay: 50 * time.Millisecond, DelayMax: 500 * time.Millisecond},
	}
	cfg.Engine.Transports = []string{"websocket"}
	if o.Auth != nil {
		cfg.Auth = func(context.Context) (any, error) { return o.Auth, nil }
	}
	s, err := sioclient.New(n.URL+nsp+"?"+values.Encode(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{Name: o.Name, Socket: s, t: t, answer: o.Name, changed: make(chan struct{})}
	s.OnAny(c.take)
	s.OnDisconnect(func(_ *sioclient.Socket, reason sioclient.Reason) {
		c.change(func() { c.reason = reason })
	})
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := s.Connect(ctx); err != nil {
		t.Fatalf("the client %s of %s: %v", o.Name, n.Name, err)
	}
	c.ID = s.ID()
	t.Cleanup(c.Close)
	return c
}

// Close disconnects the client for ever.
func (c *Client) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := c.Socket.Close(ctx); err != nil {
		c.t.Errorf("the client %s does not close: %v", c.Name, err)
	}
}

func (c *Client) take(_ context.Context, _ *sioclient.Socket, e *sioclient.Event) error {
	args := make([]any, e.Len())
	for i := range args {
		if err := e.Decode(i, &args[i]); err != nil {
			args[i] = err.Error()
		}
	}
	var answer any
	var mute bool
	c.change(func() {
		c.heard = append(c.heard, Heard{e.Name(), JSON(c.t, args)})
		answer, mute = c.answer, c.mute
	})
	if mute {
		return nil
	}
	return e.Ack(answer)
}

// change makes a change and wakes those who wait.
func (c *Client) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	close(c.changed)
	c.changed = make(chan struct{})
}

// Answer sets what the client answers from now on; at first that is its name.
func (c *Client) Answer(v any) { c.change(func() { c.answer, c.mute = v, false }) }

// Mute makes the client answer nothing from now on.
func (c *Client) Mute() { c.change(func() { c.mute = true }) }

// Heard returns what the client heard, without the events of Meet and Fence.
func (c *Client) Heard() []Heard {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []Heard
	for _, h := range c.heard {
		if !strings.HasPrefix(h.Event, private) {
			list = append(list, h)
		}
	}
	return list
}

// Args returns the arguments of each event of that name that the client heard.
func (c *Client) Args(event string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []string{}
	for _, h := range c.heard {
		if h.Event == event {
			list = append(list, h.Args)
		}
	}
	return list
}

// Want waits until the client has heard an event and returns the arguments of
// the first one.
func (c *Client) Want(t testing.TB, event string) string {
	t.Helper()
	c.WantN(t, event, 1)
	return c.Args(event)[0]
}

// WantN waits until the client has heard an event n times.
func (c *Client) WantN(t testing.TB, event string, n int) []string {
	t.Helper()
	if !c.until(time.Now().Add(Patience), func() bool { return c.count(event) >= n }) {
		t.Fatalf("the client %s has not heard %q %d times but %q", c.Name, event, n, c.Heard())
	}
	return c.Args(event)
}

// hears reports whether the client hears an event n times before a time.
func (c *Client) hears(event string, n int, end time.Time) bool {
	return c.until(end, func() bool { return c.count(event) >= n })
}

// count needs mu.
func (c *Client) count(event string) (n int) {
	for _, h := range c.heard {
		if h.Event == event {
			n++
		}
	}
	return n
}

// WantGone waits until the client is disconnected and returns why.
func (c *Client) WantGone(t testing.TB) sioclient.Reason {
	t.Helper()
	if !c.until(time.Now().Add(Patience), func() bool { return c.reason != "" }) {
		t.Fatalf("the client %s is not disconnected", c.Name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reason
}

// until waits for a condition, which is looked at under mu.
func (c *Client) until(end time.Time, ok func() bool) bool {
	timer := time.NewTimer(time.Until(end))
	defer timer.Stop()
	for {
		c.mu.Lock()
		done, changed := ok(), c.changed
		c.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-changed:
		case <-timer.C:
			return false
		}
	}
}
