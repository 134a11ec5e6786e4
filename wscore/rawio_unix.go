//go:build unix

package wscore

import (
	"io"
	"net"
	"os"
	"syscall"
)

// newRawIO returns the stream's own rawIO, or one over its file descriptor, or
// one that waits. Only the concrete types are taken: a wrapper may change Read.
func newRawIO(rwc io.ReadWriteCloser) rawIO {
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
	f := &fdIO{rc: rc}
	f.onRead, f.onWrite, f.tryOnce = f.readable, f.writable, f.write1
	return f
}

// fdIO is the rawIO of a file descriptor. Each direction belongs to one
// goroutine at a time.
type fdIO struct {
	rc syscall.RawConn

	rfd    uintptr
	rf     func() bool
	onRead func(fd uintptr) bool

	wfd     uintptr
	inWait  bool
	wf      func() bool
	onWrite func(fd uintptr) bool

	tryOnce func(fd uintptr) bool
	wbufs   [][]byte
	wone    [1][]byte
	wn      int
	wagain  bool
	werr    error
	iov     []syscall.Iovec
}

func (f *fdIO) readable(fd uintptr) bool { f.rfd = fd; return f.rf() }
func (f *fdIO) writable(fd uintptr) bool { f.wfd = fd; return f.wf() }

func (f *fdIO) WaitRead(g func() bool) error {
	f.rf = g
	return f.rc.Read(f.onRead)
}

func (f *fdIO) WaitWrite(g func() bool) error {
	f.wf, f.inWait = g, true
	err := f.rc.Write(f.onWrite)
	f.wf, f.inWait = nil, false
	return err
}

// TryRead is one read(2). It is called within WaitRead only.
func (f *fdIO) TryRead(p []byte) (n int, again bool, err error) {
	for {
		n, err = syscall.Read(int(f.rfd), p)
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

func (f *fdIO) TryWrite(p []byte) (n int, again bool, err error) {
	f.wone[0] = p
	n, again, err = f.TryWritev(f.wone[:])
	f.wone[0] = nil
	return n, again, err
}

// TryWritev is one write(2) or writev(2).
func (f *fdIO) TryWritev(bufs [][]byte) (n int, again bool, err error) {
	f.wbufs = bufs
	if f.inWait {
		f.write1(f.wfd)
	} else if err := f.rc.Write(f.tryOnce); err != nil {
		f.wbufs = nil
		return 0, false, err
	}
	f.wbufs = nil
	return f.wn, f.wagain, f.werr
}

func (f *fdIO) write1(fd uintptr) bool {
	f.wn, f.wagain, f.werr = 0, false, nil
	var n int
	var err error
	for {
		if len(f.wbufs) == 1 {
			n, err = syscall.Write(int(fd), f.wbufs[0])
		} else {
			n, err = f.writev(fd)
		}
		if err != syscall.EINTR {
			break
		}
	}
	switch {
	case err == syscall.EAGAIN:
		f.wagain = true
	case err != nil:
		f.werr = os.NewSyscallError("write", err)
	default:
		f.wn = n
	}
	return true
}
