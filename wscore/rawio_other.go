//go:build !unix

package wscore

import (
	"io"
	"sync"
)

// newRawIO returns the stream's own rawIO, or one that waits.
func newRawIO(rwc io.ReadWriteCloser, _ *sync.Pool) rawIO {
	if r, ok := rwc.(rawIO); ok {
		return r
	}
	return plain{rwc}
}
