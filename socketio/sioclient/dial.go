package sioclient

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// New returns a Socket with a Manager of its own, not connected yet: handlers
// can be registered before Connect. The path of the URL is the namespace, its
// query is sent. The error is that of Config.Validate, or about the URL.
// JS: io(url, {autoConnect: false}).
func New(rawURL string, cfg Config) (*Socket, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("socketio: %w", err)
	}
	m, err := NewManager(rawURL, cfg)
	if err != nil {
		return nil, err
	}
	s := m.Socket(u.Path, SocketOptions{})
	s.owns = true
	return s, nil
}

// Dial is New and Connect: it waits until the Socket is in its namespace. It
// goes on trying as Config.Reconnection says, so ctx should have an end. Errors are
// those of New and of Connect; after one nothing is left, unless a function of the
// Config does not return: that is waited for at most ten seconds. JS: io(url).
func Dial(ctx context.Context, rawURL string, cfg Config) (*Socket, error) {
	s, err := New(rawURL, cfg)
	if err != nil {
		return nil, err
	}
	if err := s.Connect(ctx); err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
		defer cancel()
		_ = s.Close(ctx) // err says more
		return nil, err
	}
	return s, nil
}

// leaveTimeout bounds what a Dial that has failed waits for: nothing that is ours takes
// longer.
const leaveTimeout = 10 * time.Second
