//go:build node

package cluster

import (
	"bufio"
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// balancer hands each TCP connection to any node, and to another one if that
// cannot be reached.
type balancer struct {
	l    net.Listener
	wg   sync.WaitGroup
	gate gate

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

// dial connects to any node; nil if there is none.
func (b *balancer) dial() net.Conn {
	b.mu.Lock()
	list := slices.Clone(b.to)
	b.mu.Unlock()
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	for _, addr := range list {
		if c, err := net.Dial("tcp", addr); err == nil {
			return c
		}
	}
	return nil
}

func (b *balancer) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	if !b.keep(c) {
		return
	}
	defer b.drop(c)
	first := bufio.NewReader(c)
	line, err := first.ReadSlice('\n')
	if err != nil {
		return
	}
	head := slices.Clone(line)
	rest, _ := first.Peek(first.Buffered()) // never fails
	head = append(head, rest...)
	var stop *halt
	if upgrade := bytes.Contains(line, []byte("transport=websocket")) && bytes.Contains(line, []byte("sid=")); upgrade {
		stop = b.gate.enter()
	}
	s := b.dial()
	if s == nil {
		return
	}
	defer func() { _ = s.Close() }()
	if !b.keep(s) {
		return
	}
	defer b.drop(s)
	var both sync.WaitGroup
	both.Go(func() { stop.copy(s, io.MultiReader(bytes.NewReader(head), c), fromClient) })
	both.Go(func() { stop.copy(c, s, fromServer) })
	both.Wait()
}

// keep notes a connection, unless all is over.
func (b *balancer) keep(c net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		b.conns[c] = true
	}
	return !b.ended
}

func (b *balancer) drop(c net.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.conns, c)
}

func (b *balancer) close() {
	_ = b.l.Close()
	b.gate.open()
	b.mu.Lock()
	b.ended = true
	for c := range b.conns {
		_ = c.Close()
	}
	b.mu.Unlock()
	b.wg.Wait()
}
