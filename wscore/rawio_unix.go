//go:build unix

package wscore

import (
	"io"
	"net"
	"os"
	"syscall"
)

// newRawIO returns a rawIO over a prober, or over the stream's file descriptor,
// or one that waits. Only the concrete types are taken: a wrapper may change Read.
func newRawIO(rwc io.ReadWriteCloser) rawIO {
	var sc syscall.Conn
	switch s := rwc.(type) {
	case prober:
		return probed{s}
	case *net.TCPConn:
		sc = s
	case *net.UnixConn:
		sc = s
	default:
		return plain{rwc}
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return plain{rwc}
	}
	return fdIO{rc}
}

// fdIO is the rawIO of a file descriptor. A callback that RawConn is given does
// one system call and nothing else: the descriptor cannot be closed while it runs.
type fdIO struct{ rc syscall.RawConn }

func (f fdIO) waitRead(g func(fd uintptr) bool) error { return f.rc.Read(g) }

// tryRead is one system call.
func (f fdIO) tryRead(fd uintptr, p []byte) (n int, again bool, err error) {
	for {
		n, err = readSocket(fd, p)
		if err != syscall.EINTR {
			break
		}
	}
	switch {
	case err == syscall.EAGAIN:
		return 0, true, nil
	case err != nil:
		return 0, false, os.NewSyscallError("read", err)
	case n == 0:
		return 0, false, io.EOF
	}
	return n, false, nil
}

// write is one system call that writes, and what a RawConn is given for it: the
// functions are made once for the vector that the write is part of.
type write struct {
	once  func(fd uintptr) bool // calls run, once
	until func(fd uintptr) bool // calls run until it has not to wait
	bufs  [][]byte
	iov   [maxPieces]syscall.Iovec
	msg   header
	n     int
	again bool
	err   error
}

// of makes w ready for the pieces of v.
func (w *write) of(v *vector) *write {
	if w.once == nil {
		w.once = func(fd uintptr) bool { w.run(fd); return true }
		w.until = func(fd uintptr) bool { w.run(fd); return !w.again }
	}
	w.bufs = v.pieces
	return w
}

// tryWritev is one system call.
func (f fdIO) tryWritev(v *vector) (n int, again bool, err error) {
	w := v.call.of(v)
	if err := f.rc.Write(w.once); err != nil {
		return 0, false, err
	}
	return w.n, w.again, w.err
}

// waitWritev is one system call that the kernel does not refuse.
func (f fdIO) waitWritev(v *vector) (n int, err error) {
	w := v.call.of(v)
	if err := f.rc.Write(w.until); err != nil {
		return 0, err
	}
	return w.n, w.err
}

func (w *write) run(fd uintptr) {
	w.n, w.again, w.err = 0, false, nil
	var n int
	var err error
	for {
		if len(w.bufs) == 1 {
			n, err = writeSocket(fd, w.bufs[0])
		} else {
			n, err = w.writev(fd)
		}
		if err != syscall.EINTR {
			break
		}
	}
	switch {
	case err == syscall.EAGAIN:
		w.again = true
	case err != nil:
		w.err = os.NewSyscallError("write", err)
	default:
		w.n = n
	}
}
