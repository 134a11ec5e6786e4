package wscore

import (
	"io"
	"net"
)

// rawIO is a stream that can be asked without waiting. Wait calls f at once and
// again whenever the stream may have become ready, until f returns true; Try is
// called within the Wait of its direction, or at any time by the one who owns
// the direction. again means that the call would have waited.
type rawIO interface {
	TryRead(p []byte) (n int, again bool, err error)
	TryWritev(bufs [][]byte) (n int, again bool, err error)
	WaitRead(f func() bool) error
	WaitWrite(f func() bool) error
}

// plain serves a stream that can only wait: what is written to it is handed to
// a goroutine at once, and reading holds a buffer.
type plain struct{ rwc io.ReadWriteCloser }

// TryRead waits for bytes. A stream that keeps returning nothing is given up.
func (p plain) TryRead(b []byte) (int, bool, error) {
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

// TryWritev always says again; the goroutine that waits then writes.
func (p plain) TryWritev([][]byte) (int, bool, error) { return 0, true, nil }

func (p plain) WaitRead(f func() bool) error {
	f()
	return nil
}

func (p plain) WaitWrite(f func() bool) error {
	f()
	return nil
}

// writeAll writes bufs, waiting as long as it takes.
func (p plain) writeAll(bufs [][]byte) (int, error) {
	b := net.Buffers(bufs)
	n, err := b.WriteTo(p.rwc)
	return int(n), err
}
