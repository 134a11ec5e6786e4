//go:build linux && (race || !(amd64 || arm64))

package wscore

import (
	"syscall"
	"unsafe"
)

// iovecs is what writev(2) is given.
type iovecs struct {
	iov [maxPieces]syscall.Iovec
}

// writev is writev(2).
func (w *iovecs) writev(fd uintptr, bufs [][]byte) (int, error) {
	k := 0
	for _, b := range bufs {
		if len(b) == 0 {
			continue
		}
		w.iov[k].Base = &b[0]
		w.iov[k].SetLen(len(b))
		k++
	}
	if k == 0 {
		return 0, nil
	}
	n, _, errno := syscall.Syscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&w.iov[0])), uintptr(k))
	clear(w.iov[:k])
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
