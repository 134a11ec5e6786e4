package testnet

import (
	"context"
	"net"
	"sync"
	"syscall"
)

// backlog is how many connections may be dialled and not yet accepted before
// Dial waits.
const backlog = 128

// Listener is a net.Listener for connections that its own Dial makes.
type Listener struct {
	opts  Options
	addr  net.Addr
	queue chan *Conn
	done  chan struct{}

	mu     sync.Mutex // guards what follows
	port   int        // of the last client
	closed bool
}

var _ net.Listener = (*Listener)(nil)

// Listen returns a listener whose connections have the given options.
func Listen(o Options) *Listener {
	return &Listener{
		opts: o, addr: address(80), port: 1023,
		queue: make(chan *Conn, backlog), done: make(chan struct{}),
	}
}

// Addr returns 127.0.0.1:80.
func (l *Listener) Addr() net.Addr { return l.addr }

// Accept waits for a connection. It returns a *Conn (with Options.Plain
// something that hides it), or net.ErrClosed after Close.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
		return nil, l.errClosed()
	default:
	}
	select {
	case c := <-l.queue:
		if l.opts.Plain {
			return plain{c}, nil
		}
		return c, nil
	case <-l.done:
		return nil, l.errClosed()
	}
}

func (l *Listener) errClosed() error {
	return &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
}

// Close refuses new connections and resets those that nobody has accepted. It
// leaves accepted ones alone.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return l.errClosed()
	}
	l.closed = true
	close(l.done)
	l.refuseWaiting()
	return nil
}

// refuseWaiting resets what nobody has accepted.
func (l *Listener) refuseWaiting() {
	for {
		select {
		case c := <-l.queue:
			c.Abort()
		default:
			return
		}
	}
}

// Dial connects and returns the client's end; the other one comes out of
// Accept. It does not wait for Accept, unless 128 connections do already.
func (l *Listener) Dial() (*Conn, error) { return l.dial(context.Background()) }

// DialContext is Dial in the form that http.Transport and others want; the
// network and address are not looked at.
func (l *Listener) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	c, err := l.dial(ctx)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (l *Listener) dial(ctx context.Context) (*Conn, error) {
	client, server := newPipe(l.opts, address(l.nextPort()), l.addr)
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: l.addr, Err: syscall.ECONNREFUSED}
	select {
	case <-l.done:
		return nil, refused
	case <-ctx.Done():
		return nil, ctx.Err()
	default:
	}
	select {
	case l.queue <- server:
	case <-l.done:
		return nil, refused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	// Close may have emptied the queue a moment before server went in.
	select {
	case <-l.done:
		l.refuseWaiting()
	default:
	}
	return client, nil
}

func (l *Listener) nextPort() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.port++
	if l.port > 65535 {
		l.port = 1024
	}
	return l.port
}

// plain is a Conn without its non-blocking methods.
type plain struct{ net.Conn }

// CloseWrite ends the output.
func (p plain) CloseWrite() error { return p.Conn.(*Conn).CloseWrite() }
