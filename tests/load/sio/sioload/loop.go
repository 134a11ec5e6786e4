//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
	"unsafe"
)

// longest is how long a turn waits if nothing is due.
const longest = 5 * time.Millisecond

// readSize is what one read takes at most.
const readSize = 256 << 10

// user is what a conn belongs to. Its methods are called by the loop.
type user interface {
	// opened is called once, when the connection stands.
	opened() error
	// take gets all bytes that have not been used yet and returns how many it used.
	take(p []byte) (used int, err error)
	// ended is told that the peer is gone; nil means that this is all right.
	ended(err error) error
}

// conn is a socket. The loop owns it.
type conn struct {
	l       *loop
	u       user
	fd      int
	index   int    // in l.conns
	rest    []byte // received and not used yet
	out     []byte // not written yet
	layer   *layer // TLS, or nil
	open    bool   // the connection stands
	waiting bool   // for room to write, so the loop does not write
	dirty   bool   // in l.dirty
	deaf    bool   // is not read
	closed  bool
}

// loop waits for many sockets. One goroutine uses it.
type loop struct {
	fd     int
	addr   syscall.SockaddrInet4
	conns  []*conn
	free   []int // places in conns
	freed  []int // the same, from the next turn on: events of this one may still name them
	dirty  []*conn
	buf    []byte
	events [512]syscall.EpollEvent
	source int
	// tick, if any, is called in each turn.
	tick func() error
	// patience is how long a turn waits at most; tick may change it.
	patience time.Duration
}

// newLoop returns a loop to be closed, whose connections go to addr.
func newLoop(addr *net.TCPAddr) (*loop, error) {
	ip := addr.IP.To4()
	if ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%v is not an IPv4 address of this machine itself", addr)
	}
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	l := &loop{fd: fd, buf: make([]byte, readSize), patience: longest}
	l.addr = syscall.SockaddrInet4{Port: addr.Port, Addr: [4]byte(ip)}
	return l, nil
}

// close closes all connections, too.
func (l *loop) close() {
	for _, c := range l.conns {
		if c != nil {
			c.close()
		}
	}
	_ = syscall.Close(l.fd) // nothing is to be saved
}

// dial begins a connection. The sources are 127.0.0.2 to 17 in turn, so that
// no address runs out of ports. receive is the size of the socket's receive
// buffer, 0 the system's.
func (l *loop) dial(u user, receive int) (*conn, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	c := &conn{l: l, u: u, fd: fd, index: len(l.conns)}
	if err := l.begin(c, receive); err != nil {
		_ = syscall.Close(fd)
		return nil, fmt.Errorf("connecting: %w", err)
	}
	return c, nil
}

func (l *loop) begin(c *conn, receive int) error {
	local := &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + l.source%16)}}
	l.source++
	const bindAddressNoPort = 24 // IP_BIND_ADDRESS_NO_PORT
	if err := syscall.SetsockoptInt(c.fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
		return err
	}
	if receive > 0 {
		if err := syscall.SetsockoptInt(c.fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, receive); err != nil {
			return err
		}
	}
	if err := syscall.SetsockoptInt(c.fd, syscall.IPPROTO_IP, bindAddressNoPort, 1); err != nil {
		return err
	}
	if err := syscall.Bind(c.fd, local); err != nil {
		return err
	}
	if err := syscall.Connect(c.fd, &l.addr); err != nil && err != syscall.EINPROGRESS {
		return err
	}
	if n := len(l.free); n > 0 {
		c.index, l.free = l.free[n-1], l.free[:n-1]
		l.conns[c.index] = c
	} else {
		l.conns = append(l.conns, c)
	}
	c.waiting = true
	if err := c.watch(syscall.EPOLL_CTL_ADD); err != nil {
		l.conns[c.index], l.free = nil, append(l.free, c.index)
		return err
	}
	return nil
}

// watch tells the kernel what the connection waits for.
func (c *conn) watch(op int) error {
	e := syscall.EpollEvent{Fd: int32(c.index)} // comes back, whatever it means
	if !c.deaf {
		e.Events = syscall.EPOLLIN
	}
	if c.waiting {
		e.Events |= syscall.EPOLLOUT
	}
	return syscall.EpollCtl(c.l.fd, op, c.fd, &e)
}

// until turns the loop until done, at most for so long.
func (l *loop) until(what string, limit time.Duration, done func() bool) error {
	end := time.Now().Add(limit)
	for !done() {
		if err := l.turn(); err != nil {
			return err
		}
		if time.Now().After(end) && !done() {
			return fmt.Errorf("%s: not done after %v", what, limit)
		}
	}
	return l.flush()
}

// pass turns the loop for so long.
func (l *loop) pass(d time.Duration) error {
	for end := time.Now().Add(d); time.Now().Before(end); {
		if err := l.turn(); err != nil {
			return err
		}
	}
	return nil
}

// turn writes what is to be written and handles what has come, or waits for it
// for some milliseconds.
func (l *loop) turn() error {
	if l.tick != nil {
		if err := l.tick(); err != nil {
			return err
		}
	}
	if err := l.flush(); err != nil {
		return err
	}
	l.free, l.freed = append(l.free, l.freed...), l.freed[:0]
	n, err := l.wait(l.patience)
	if err != nil {
		return err
	}
	for i := range n {
		e := &l.events[i]
		c := l.conns[e.Fd]
		if c == nil {
			continue
		}
		if err := c.handle(e.Events); err != nil {
			return err
		}
	}
	return nil
}

// epollPwait2 is the system call that waits by the nanosecond (Linux 5.11).
const epollPwait2 = 441

// wait waits for events. An older kernel counts in milliseconds: then shorter
// waits are none at all.
func (l *loop) wait(most time.Duration) (int, error) {
	t := syscall.NsecToTimespec(int64(max(most, 0)))
	n, _, e := syscall.Syscall6(epollPwait2, uintptr(l.fd), uintptr(unsafe.Pointer(&l.events[0])), uintptr(len(l.events)), uintptr(unsafe.Pointer(&t)), 0, 0)
	if e == syscall.ENOSYS {
		var err error
		var k int
		if k, err = syscall.EpollWait(l.fd, l.events[:], int(most/time.Millisecond)); err == nil {
			return k, nil
		}
		e, _ = err.(syscall.Errno)
	}
	switch e {
	case 0:
		return int(n), nil
	case syscall.EINTR:
		return 0, nil
	}
	return 0, e
}

func (c *conn) handle(events uint32) error {
	if c.waiting && events&(syscall.EPOLLOUT|syscall.EPOLLERR|syscall.EPOLLHUP) != 0 {
		if !c.open {
			code, err := syscall.GetsockoptInt(c.fd, syscall.SOL_SOCKET, syscall.SO_ERROR)
			if err == nil && code != 0 {
				err = syscall.Errno(code)
			}
			if err != nil {
				return fmt.Errorf("connecting: %w", err)
			}
			c.open = true
			if err := c.u.opened(); err != nil || c.closed {
				return err
			}
		}
		c.waiting = false
		if err := c.watch(syscall.EPOLL_CTL_MOD); err != nil {
			return err
		}
		if err := c.write(); err != nil || c.closed {
			return err
		}
	}
	if !c.deaf && events&(syscall.EPOLLIN|syscall.EPOLLERR|syscall.EPOLLHUP) != 0 {
		return c.read()
	}
	return nil
}

// read reads once and hands on what it got.
func (c *conn) read() error {
	n, err := rawRead(c.fd, c.l.buf)
	switch {
	case err == syscall.EAGAIN || err == syscall.EINTR:
		return nil
	case err != nil || n == 0:
		if err == nil {
			err = io.EOF
		}
		c.close()
		return c.u.ended(err)
	}
	p := c.l.buf[:n]
	if c.layer != nil {
		if p, err = c.layer.open(p); err != nil {
			return err
		}
	}
	if len(c.rest) > 0 {
		c.rest = append(c.rest, p...)
		p = c.rest
	}
	used, err := c.u.take(p)
	if err != nil || c.closed {
		return err
	}
	c.rest = append(c.rest[:0], p[used:]...)
	return nil
}

// send gives the buffer of what is to be written to f, which appends to it.
// The loop writes at the end of its turn.
func (c *conn) send(f func(dst []byte) []byte) {
	c.out = f(c.out)
	c.touch()
}

// touch says that there is something to write.
func (c *conn) touch() {
	if !c.dirty {
		c.dirty = true
		c.l.dirty = append(c.l.dirty, c)
	}
}

func (l *loop) flush() error {
	for i := 0; i < len(l.dirty); i++ {
		c := l.dirty[i]
		c.dirty = false
		if c.closed || c.waiting {
			continue
		}
		if err := c.write(); err != nil {
			return err
		}
	}
	l.dirty = l.dirty[:0]
	return nil
}

// write writes what there is, and waits for room if it does not go out.
func (c *conn) write() error {
	p := c.out
	if c.layer != nil {
		var err error
		if p, err = c.layer.seal(p); err != nil {
			return err
		}
		c.out = c.out[:0]
	}
	if len(p) == 0 {
		return nil
	}
	n, err := rawWrite(c.fd, p)
	if err == syscall.EAGAIN || err == syscall.EINTR {
		n, err = 0, nil
	}
	if err != nil {
		c.close()
		return c.u.ended(err)
	}
	left := p[n:]
	if c.layer != nil {
		c.layer.keep(left)
	} else {
		c.out = append(c.out[:0], left...)
	}
	if len(left) > 0 {
		c.waiting = true
		return c.watch(syscall.EPOLL_CTL_MOD)
	}
	return nil
}

// close drops the connection, after one more attempt to write.
func (c *conn) close() {
	if c.closed {
		return
	}
	if c.open && len(c.out) > 0 && c.layer == nil {
		_, _ = rawWrite(c.fd, c.out) // whether it is heard does not matter any more
	}
	c.closed = true
	c.l.conns[c.index] = nil
	c.l.freed = append(c.l.freed, c.index)
	_ = syscall.Close(c.fd) // nothing is to be saved
	c.out, c.rest = nil, nil
}

// setDeaf has the connection not read any more.
func (c *conn) setDeaf() error {
	c.deaf = true
	return c.watch(syscall.EPOLL_CTL_MOD)
}

// rawRead and rawWrite do not tell the scheduler, because they never block.

func rawRead(fd int, p []byte) (int, error) {
	n, _, e := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if e != 0 {
		return 0, e
	}
	return int(n), nil
}

func rawWrite(fd int, p []byte) (int, error) {
	n, _, e := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if e != 0 {
		return 0, e
	}
	return int(n), nil
}
