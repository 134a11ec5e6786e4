package main

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

// patience bounds every wait for a server.
const patience = 20 * time.Second

// conn is a client connection: a socket and what was read of a frame that is
// not whole yet.
type conn struct {
	fd             int
	partial        []byte
	sent, received uint64
}

// The nonce of all handshakes, the sample of RFC 6455 section 1.3, and its answer.
const (
	nonce  = "dGhlIHNhbXBsZSBub25jZQ=="
	accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// dial opens connection number i and shakes hands. The socket blocks, at most
// for patience. With deflate permessage-deflate is offered, and must be agreed to.
func dial(addr *net.TCPAddr, path string, i int, deflate bool) (*conn, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("connection %d: %w", i, err)
	}
	c := &conn{fd: fd}
	if err := c.open(addr, path, i, deflate); err != nil {
		c.close()
		return nil, fmt.Errorf("connection %d: %w", i, err)
	}
	return c, nil
}

func (c *conn) open(addr *net.TCPAddr, path string, i int, deflate bool) error {
	limit := syscall.NsecToTimeval(int64(patience))
	local := &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + i%16)}}
	remote := &syscall.SockaddrInet4{Port: addr.Port, Addr: [4]byte(addr.IP.To4())}
	for _, step := range []func() error{
		func() error {
			// Nothing is to be saved at the end, and no port to be kept busy.
			return syscall.SetsockoptLinger(c.fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
		},
		func() error { return syscall.SetsockoptTimeval(c.fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit) },
		func() error { return syscall.SetsockoptTimeval(c.fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &limit) },
		func() error { return syscall.SetsockoptInt(c.fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1) },
		func() error { return syscall.Bind(c.fd, local) },
		func() error { return syscall.Connect(c.fd, remote) },
		func() error { return c.handshake(addr.String(), path, deflate) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// handshake: RFC 6455 section 4.1.
func (c *conn) handshake(host, path string, deflate bool) error {
	request := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + nonce + "\r\n"
	if deflate {
		request += "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
	}
	if err := c.write([]byte(request + "\r\n")); err != nil {
		return err
	}
	buf := make([]byte, 4096)
	have := 0
	for !bytes.HasSuffix(buf[:have], []byte("\r\n\r\n")) {
		n, err := read(c.fd, buf[have:])
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("handshake answered with %q", buf[:have])
		}
		have += n
	}
	answer := string(buf[:have])
	if !strings.HasPrefix(answer, "HTTP/1.1 101 ") || !strings.Contains(answer, accept) || strings.Contains(answer, "permessage-deflate") != deflate {
		return fmt.Errorf("handshake answered with %q", answer)
	}
	return nil
}

// write writes all of p at once, or fails.
func (c *conn) write(p []byte) error {
	for {
		n, err := syscall.Write(c.fd, p)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return err
		case n != len(p):
			return fmt.Errorf("only %d of %d bytes went out", n, len(p))
		default:
			return nil
		}
	}
}

// feed takes what was read, calls each for every whole frame in it and keeps the rest.
func (c *conn) feed(p []byte, each func(first byte, payload []byte) error) error {
	if len(c.partial) > 0 {
		c.partial = append(c.partial, p...)
		p = c.partial
	}
	for {
		first, payload, size, err := nextFrame(p)
		if err != nil {
			return err
		}
		if size == 0 {
			break
		}
		if err := each(first, payload); err != nil {
			return err
		}
		p = p[size:]
	}
	c.partial = append(c.partial[:0], p...)
	return nil
}

// close drops the connection.
func (c *conn) close() { _ = syscall.Close(c.fd) } // the descriptor is gone in any case

// read reads once, 0 bytes at the end.
func read(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, p)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// dialAll opens n connections.
func dialAll(addr *net.TCPAddr, path string, n int, deflate bool) ([]*conn, error) {
	conns := make([]*conn, 0, n)
	for i := range n {
		c, err := dial(addr, path, i, deflate)
		if err != nil {
			closeAll(conns)
			return nil, err
		}
		conns = append(conns, c)
	}
	return conns, nil
}

func closeAll(conns []*conn) {
	for _, c := range conns {
		c.close()
	}
}
