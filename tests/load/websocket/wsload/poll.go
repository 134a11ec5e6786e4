package main

import (
	"fmt"
	"syscall"
)

// poll waits for any of many connections. One goroutine uses it.
type poll struct {
	fd     int
	conns  []*conn
	events [256]syscall.EpollEvent
	buf    []byte
}

// newPoll returns a poll over conns, to be closed.
func newPoll(conns []*conn) (*poll, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	p := &poll{fd: fd, conns: conns, buf: make([]byte, 64<<10)}
	for i, c := range conns {
		e := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)} // the number comes back, whatever it means
		if err := syscall.EpollCtl(fd, syscall.EPOLL_CTL_ADD, c.fd, &e); err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

func (p *poll) close() { _ = syscall.Close(p.fd) }

// wait waits for bytes and hands what one read of each readable connection gives to take.
func (p *poll) wait(take func(c *conn, got []byte) error) error {
	n, err := syscall.EpollWait(p.fd, p.events[:], int(patience.Milliseconds()))
	if err == syscall.EINTR {
		return nil
	}
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("no byte within %v", patience)
	}
	for _, e := range p.events[:n] {
		c := p.conns[e.Fd]
		got, err := read(c.fd, p.buf)
		if err != nil {
			return err
		}
		if got == 0 {
			return fmt.Errorf("connection %d was closed", e.Fd)
		}
		if err := take(c, p.buf[:got]); err != nil {
			return fmt.Errorf("connection %d: %w", e.Fd, err)
		}
	}
	return nil
}
