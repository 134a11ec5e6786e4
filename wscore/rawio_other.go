//go:build !unix

package wscore

import "io"

// These are not needed here.
type (
	write  struct{}
	iovecs struct{}
	calls  struct{}
)

// write writes what the batch has.
func (b *batch) write() {
	for i := range b.n {
		v := &b.vecs[i]
		v.n, v.again, v.err = b.conns[i].raw.tryWritev(v)
	}
}

// newRawIO returns a rawIO over a prober, or one that waits.
func newRawIO(rwc io.ReadWriteCloser) rawIO {
	if p, ok := rwc.(prober); ok {
		return probed{p}
	}
	return plain{rwc}
}
