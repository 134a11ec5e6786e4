//go:build node

package cluster

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"

	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// balancer hands each TCP connection to any node.
type balancer struct {
	l  net.Listener
	wg sync.WaitGroup

	mu    sync.Mutex // guards what follows
	to    []string
	conns map[net.Conn]bool
	ended bool
}

// newBalancer returns a balancer that ends with the test.
func newBalancer(t *testing.T) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{l: l, conns: map[net.Conn]bool{}}
	b.wg.Go(b.accept)
	t.Cleanup(b.close)
	return b
}

func (b *balancer) addr() string { return b.l.Addr().String() }

// set says which nodes get connections from now on.
func (b *balancer) set(list []*nodes.Node) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.to = names(list)
}

func (b *balancer) accept() {
	for {
		c, err := b.l.Accept()
		if err != nil {
			return
		}
		b.wg.Go(func() { b.serve(c) })
	}
}

func (b *balancer) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	b.mu.Lock()
	to := b.to[rand.IntN(len(b.to))]
	b.mu.Unlock()
	s, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer func() { _ = s.Close() }()
	if !b.keep(c, s) {
		return
	}
	var both sync.WaitGroup
	for _, x := range [][2]net.Conn{{c, s}, {s, c}} {
		both.Go(func() {
			_, _ = io.Copy(x[0], x[1])
			_ = x[0].(*net.TCPConn).CloseWrite()
		})
	}
	both.Wait()
	b.mu.Lock()
	delete(b.conns, c)
	delete(b.conns, s)
	b.mu.Unlock()
}

// keep notes connections, unless all is over.
func (b *balancer) keep(list ...net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range list {
		b.conns[c] = true
	}
	return !b.ended
}

func (b *balancer) close() {
	_ = b.l.Close()
	b.mu.Lock()
	b.ended = true
	for c := range b.conns {
		_ = c.Close()
	}
	b.mu.Unlock()
	b.wg.Wait()
}
