//go:build unix

package wscore

import (
	"testing"
	"unsafe"
)

// What every connection keeps fits its size class of the allocator; what it
// needs now and then is behind pointers, and small if all may need it at a time.
func TestConnSize(t *testing.T) {
	if got := unsafe.Sizeof(Conn{}); got > 256 {
		t.Errorf("Conn has %d bytes", got)
	}
	if got := unsafe.Sizeof(queue{}); got > 112 {
		t.Errorf("queue has %d bytes", got)
	}
	if got := unsafe.Sizeof(fdIO{}); got > 16 {
		t.Errorf("fdIO has %d bytes", got)
	}
}
