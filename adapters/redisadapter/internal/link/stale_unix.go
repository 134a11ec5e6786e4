//go:build unix

package link

import (
	"net"
	"syscall"
)

// look reports whether the other side has ended a connection that nobody reads from,
// or else whether something has come that was not read. It looks at the transport,
// below TLS, which announces the end there.
func look(c net.Conn) (ended, unread bool) {
	for {
		inner, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		c = inner.NetConn()
	}
	s, ok := c.(syscall.Conn)
	if !ok {
		return false, false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return true, false
	}
	err = raw.Control(func(fd uintptr) { // Read would fail after the deadline of the last answer
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		unread = n > 0
		ended = n == 0 && err == nil || err != nil && err != syscall.EAGAIN && err != syscall.EWOULDBLOCK && err != syscall.EINTR
	})
	return ended || err != nil, unread
}
