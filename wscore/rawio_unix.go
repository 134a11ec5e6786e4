//go:build unix

package wscore

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// newRawIO returns the stream's own rawIO, or one over its file descriptor, or
// one that waits. Only the concrete types are taken: a wrapper may change Read.
func newRawIO(rwc io.ReadWriteCloser, writes *sync.Pool) rawIO {
	var sc syscall.Conn
	switch s := rwc.(type) {
	case rawIO:
		return s
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
	return &fdIO{rc: rc, writes: writes}
}

// fdIO is the rawIO of a file descriptor. Each direction belongs to one
// goroutine at a time. A callback that RawConn is given does one system call
// and nothing else: the descriptor cannot be closed while it runs.
type fdIO struct {
	rc     syscall.RawConn
	writes *sync.Pool // of *write

	rfd    uintptr // within WaitRead
	onRead func(fd uintptr) bool
	f      func() bool
	wait   *write // within WaitWrite
}

// WaitRead implements rawIO.
func (f *fdIO) WaitRead(g func() bool) error {
	if f.onRead == nil {
		f.onRead = f.readable
	}
	f.f = g
	return f.rc.Read(f.onRead)
}

func (f *fdIO) readable(fd uintptr) bool { f.rfd = fd; return f.f() }

// TryRead implements rawIO by one system call. It is called within WaitRead only.
func (f *fdIO) TryRead(p []byte) (n int, again bool, err error) {
	for {
		n, err = readSocket(f.rfd, p)
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

// write is one system call that writes. It is lent for the call.
type write struct {
	once  func(fd uintptr) bool // calls run, once
	until func(fd uintptr) bool // calls g
	fd    uintptr
	g     func() bool
	bufs  [][]byte
	iov   [maxPieces]syscall.Iovec
	msg   header
	n     int
	again bool
	err   error
}

func (f *fdIO) borrow() *write {
	if w, ok := f.writes.Get().(*write); ok {
		return w
	}
	w := new(write)
	w.once = func(fd uintptr) bool { w.run(fd); return true }
	w.until = func(fd uintptr) bool { w.fd = fd; return w.g() }
	return w
}

func (f *fdIO) giveBack(w *write) {
	w.bufs, w.g, w.err = nil, nil, nil
	f.writes.Put(w)
}

// WaitWrite implements rawIO.
func (f *fdIO) WaitWrite(g func() bool) error {
	w := f.borrow()
	w.g, f.wait = g, w
	err := f.rc.Write(w.until)
	f.wait = nil
	f.giveBack(w)
	return err
}

// TryWritev implements rawIO by one system call.
func (f *fdIO) TryWritev(bufs [][]byte) (n int, again bool, err error) {
	if w := f.wait; w != nil {
		w.bufs = bufs
		w.run(w.fd)
		return w.n, w.again, w.err
	}
	w := f.borrow()
	defer f.giveBack(w)
	w.bufs = bufs
	if err := f.rc.Write(w.once); err != nil {
		return 0, false, err
	}
	return w.n, w.again, w.err
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
