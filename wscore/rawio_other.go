//go:build !unix

package wscore

import "io"

// write is not needed here.
type write struct{}

// newRawIO returns a rawIO over a prober, or one that waits.
func newRawIO(rwc io.ReadWriteCloser) rawIO {
	if p, ok := rwc.(prober); ok {
		return probed{p}
	}
	return plain{rwc}
}
