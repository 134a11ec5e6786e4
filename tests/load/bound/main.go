//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"unsafe"
)

// server is one goroutine's, all of it.
type server struct {
	epoll, listener int
	conns           []*conn // by descriptor
	rooms           map[string]*room
	clients         int
	dirty           []*conn
	buf             []byte
	spare           [][]byte // what has been written was in these
}

// conn is a connection.
type conn struct {
	fd      int
	upgrade bool   // the WebSocket stands
	rest    []byte // of a frame that is not whole yet
	out     []byte
	dirty   bool
	waiting bool // for room to write
	rooms   []*room
}

// room has its members in no order.
type room struct {
	members []*conn
}

func main() {
	runtime.LockOSThread()
	fmt.Fprintln(os.Stderr, "bound:", run())
	os.Exit(1)
}

// run serves until it cannot.
func run() error {
	port, err := strconv.Atoi(os.Getenv("PORT"))
	if err != nil {
		return fmt.Errorf("PORT: %w", err)
	}
	s := &server{rooms: map[string]*room{}, buf: make([]byte, 256<<10)}
	if err := s.listen(port); err != nil {
		return err
	}
	events := make([]syscall.EpollEvent, 512)
	for {
		n, err := syscall.EpollWait(s.epoll, events, -1)
		if err != nil && err != syscall.EINTR {
			return err
		}
		for _, e := range events[:max(n, 0)] {
			if int(e.Fd) == s.listener {
				s.accept()
			} else if c := s.conns[e.Fd]; c != nil {
				s.handle(c, e.Events)
			}
		}
		for _, c := range s.dirty {
			c.dirty = false
			s.flush(c)
		}
		s.dirty = s.dirty[:0]
	}
}

func (s *server) listen(port int) (err error) {
	if s.epoll, err = syscall.EpollCreate1(0); err != nil {
		return err
	}
	if s.listener, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0); err != nil {
		return err
	}
	if err := syscall.SetsockoptInt(s.listener, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return err
	}
	if err := syscall.Bind(s.listener, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}); err != nil {
		return err
	}
	if err := syscall.Listen(s.listener, 1024); err != nil {
		return err
	}
	return syscall.EpollCtl(s.epoll, syscall.EPOLL_CTL_ADD, s.listener, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(s.listener)})
}

func (s *server) accept() {
	for {
		fd, _, err := syscall.Accept4(s.listener, syscall.SOCK_NONBLOCK)
		if err != nil {
			return // none for now
		}
		// Without these two the client notices that it gets nothing.
		_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
		_ = syscall.EpollCtl(s.epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
		for len(s.conns) <= fd {
			s.conns = append(s.conns, nil)
		}
		s.conns[fd] = &conn{fd: fd}
	}
}

func (s *server) handle(c *conn, events uint32) {
	if events&syscall.EPOLLOUT != 0 {
		s.flush(c)
	}
	if events&^uint32(syscall.EPOLLOUT) == 0 {
		return
	}
	n, err := raw(syscall.SYS_READ, c.fd, s.buf)
	if err == syscall.EAGAIN || err == syscall.EINTR {
		return
	}
	if n <= 0 {
		s.close(c)
		return
	}
	p := s.buf[:n]
	if len(c.rest) > 0 {
		c.rest = append(c.rest, p...)
		p = c.rest
	}
	used := s.take(c, p)
	if len(p) == used {
		c.rest = nil
	} else {
		c.rest = append([]byte(nil), p[used:]...)
	}
}

// raw reads or writes without telling the scheduler, because it never blocks.
func raw(call uintptr, fd int, p []byte) (int, syscall.Errno) {
	n, _, err := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if err != 0 {
		return 0, err
	}
	return int(n), 0
}

// send has bytes go out at the end of the turn.
func (s *server) send(c *conn, frame []byte) {
	c.out = append(s.buffer(c), frame...)
	if !c.dirty {
		c.dirty = true
		s.dirty = append(s.dirty, c)
	}
}

// buffer returns what is to be written to c, with room for more.
func (s *server) buffer(c *conn) []byte {
	if n := len(s.spare); c.out == nil && n > 0 {
		c.out, s.spare = s.spare[n-1], s.spare[:n-1]
	}
	return c.out
}

func (s *server) flush(c *conn) {
	if s.conns[c.fd] != c || len(c.out) == 0 {
		return
	}
	n, err := raw(syscall.SYS_WRITE, c.fd, c.out)
	if err != 0 && err != syscall.EAGAIN {
		s.close(c)
		return
	}
	if n == len(c.out) {
		if cap(c.out) <= 64<<10 {
			s.spare = append(s.spare, c.out[:0])
		}
		c.out = nil
	} else {
		c.out = append(c.out[:0], c.out[n:]...)
	}
	if waiting := c.out != nil; waiting != c.waiting {
		c.waiting = waiting
		e := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(c.fd)}
		if waiting {
			e.Events |= syscall.EPOLLOUT
		}
		_ = syscall.EpollCtl(s.epoll, syscall.EPOLL_CTL_MOD, c.fd, &e) // as above
	}
}

func (s *server) close(c *conn) {
	if s.conns[c.fd] != c {
		return
	}
	s.conns[c.fd] = nil
	_ = syscall.Close(c.fd) // nothing is to be saved
	if c.upgrade {
		s.clients--
	}
	for _, r := range c.rooms {
		r.remove(c)
	}
}

func (r *room) remove(c *conn) {
	for i, m := range r.members {
		if m == c {
			r.members[i] = r.members[len(r.members)-1]
			r.members = r.members[:len(r.members)-1]
			return
		}
	}
}

// collect is the event gc.
func collect() { debug.FreeOSMemory() }
