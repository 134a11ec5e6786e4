package wscore

import (
	"io"
	"net"
)

// rawIO is a stream that can be asked without waiting; again means that the call
// would have waited. Each direction belongs to one goroutine at a time.
type rawIO interface {
	// waitRead calls f at once and again whenever there may be something to be
	// read, until f returns true.
	waitRead(f func(fd uintptr) bool) error
	// tryRead is called by f, with f's fd.
	tryRead(fd uintptr, p []byte) (n int, again bool, err error)
	// tryWritev writes some of v.pieces.
	tryWritev(v *vector) (n int, again bool, err error)
	// waitWritev is tryWritev that waits until the stream takes something.
	waitWritev(v *vector) (n int, err error)
}

// prober is a stream that brings its own way of being asked: see the methods of
// these names of internal/testnet.Conn.
type prober interface {
	WaitRead(f func(fd uintptr) bool) error
	TryRead(p []byte) (n int, again bool, err error)
	TryWritev(bufs [][]byte) (n int, again bool, err error)
	WaitWrite(f func(fd uintptr) bool) error
}

// probed is the rawIO of a prober.
type probed struct{ prober }

func (p probed) waitRead(f func(fd uintptr) bool) error { return p.WaitRead(f) }

func (p probed) tryRead(_ uintptr, b []byte) (int, bool, error) { return p.TryRead(b) }

func (p probed) tryWritev(v *vector) (int, bool, error) { return p.TryWritev(v.pieces) }

func (p probed) waitWritev(v *vector) (n int, err error) {
	werr := p.WaitWrite(func(uintptr) bool {
		var again bool
		n, again, err = p.TryWritev(v.pieces)
		return !again
	})
	if err == nil {
		err = werr
	}
	return n, err
}

// plain serves a stream that can only wait: what is written to it is handed to
// a goroutine at once, and reading holds a buffer: see readSize.
type plain struct{ rwc io.ReadWriteCloser }

func (p plain) waitRead(f func(fd uintptr) bool) error {
	f(0)
	return nil
}

// tryRead waits for bytes. A stream that keeps returning nothing is given up.
func (p plain) tryRead(_ uintptr, b []byte) (int, bool, error) {
	for range 100 {
		n, err := p.rwc.Read(b)
		if n > 0 {
			return n, false, nil
		}
		if err != nil {
			return 0, false, err
		}
	}
	return 0, false, io.ErrNoProgress
}

// tryWritev always says again; the goroutine that waits then writes.
func (p plain) tryWritev(*vector) (int, bool, error) { return 0, true, nil }

// waitWritev writes all of them.
func (p plain) waitWritev(v *vector) (int, error) {
	b := net.Buffers(v.pieces)
	n, err := b.WriteTo(p.rwc)
	return int(n), err
}
