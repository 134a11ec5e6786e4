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
// Those of a batch do as many as it has: see batch.hold.
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

// write is what a RawConn is given so that it writes: the functions are made
// once for the vector that they write.
type write struct {
	once  func(fd uintptr)      // calls run
	until func(fd uintptr) bool // calls run until it has not to wait
}

// ready makes the functions.
func (v *vector) ready() {
	if v.call.once == nil {
		v.call.once = v.run
		v.call.until = func(fd uintptr) bool { v.run(fd); return !v.again }
	}
}

// tryWritev is one system call. Control keeps the descriptor open like Write,
// and spares what a write that waits for the poller needs.
func (f fdIO) tryWritev(v *vector) (n int, again bool, err error) {
	v.ready()
	if err := f.rc.Control(v.call.once); err != nil {
		return 0, false, err
	}
	return v.n, v.again, v.err
}

// waitWritev is one system call that the kernel does not refuse.
func (f fdIO) waitWritev(v *vector) (n int, err error) {
	v.ready()
	if err := f.rc.Write(v.call.until); err != nil {
		return 0, err
	}
	return v.n, v.err
}

// run is one system call that writes.
func (v *vector) run(fd uintptr) {
	v.n, v.again, v.err = 0, false, nil
	var n int
	var err error
	for {
		if len(v.pieces) == 1 {
			n, err = writeSocket(fd, v.pieces[0])
		} else {
			n, err = v.many.writev(fd, v.pieces)
		}
		if err != syscall.EINTR {
			break
		}
	}
	switch {
	case err == syscall.EAGAIN:
		v.again = true
	case err != nil:
		v.err = os.NewSyscallError("write", err)
	default:
		v.n = n
	}
}
