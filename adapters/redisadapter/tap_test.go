package redisadapter

import (
	"bytes"
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

// tap keeps the commands that are written to Redis, as they are on the wire.
type tap struct {
	mu       sync.Mutex // guards what follows
	commands [][]string
}

// client returns a client whose connections, and those derived from it, are
// tapped.
func (p *tap) client(t testing.TB, addr string) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: addr, Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &tapped{Conn: conn, tap: p}, nil
	}})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// of returns the commands of that name so far, which is the first word, and
// their arguments.
func (p *tap) of(names ...string) (list [][]string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.commands {
		if slices.Contains(names, strings.ToUpper(c[0])) {
			list = append(list, c)
		}
	}
	return list
}

// tapped is a connection that tells the tap what is written.
type tapped struct {
	net.Conn
	tap  *tap
	rest []byte // guarded by the tap's mutex
}

func (c *tapped) Write(b []byte) (int, error) {
	c.tap.mu.Lock()
	c.rest = append(c.rest, b...)
	for {
		command, rest, whole := parseRESP(c.rest)
		if !whole {
			break
		}
		c.tap.commands, c.rest = append(c.tap.commands, command), rest
	}
	c.tap.mu.Unlock()
	return c.Conn.Write(b)
}

// parseRESP takes a command, an array of bulk strings, off b.
func parseRESP(b []byte) (command []string, rest []byte, whole bool) {
	number := func(prefix byte) (n int) {
		line, after, found := bytes.Cut(b, []byte("\r\n"))
		if !found || len(line) == 0 || line[0] != prefix {
			return -1
		}
		n, err := strconv.Atoi(string(line[1:]))
		if err != nil {
			return -1
		}
		b = after
		return n
	}
	n := number('*')
	if n <= 0 {
		return nil, nil, false
	}
	for range n {
		size := number('$')
		if size < 0 || len(b) < size+2 {
			return nil, nil, false
		}
		command, b = append(command, string(b[:size])), b[size+2:]
	}
	return command, bytes.Clone(b), true
}
