package wscore

import (
	"syscall"
	"unsafe"
)

// maxIovecs is the most that one writev(2) takes.
const maxIovecs = 1024

func (f *fdIO) writev(fd uintptr) (int, error) {
	f.iov = f.iov[:0]
	for _, b := range f.wbufs[:min(len(f.wbufs), maxIovecs)] {
		if len(b) == 0 {
			continue
		}
		v := syscall.Iovec{Base: &b[0]}
		v.SetLen(len(b))
		f.iov = append(f.iov, v)
	}
	if len(f.iov) == 0 {
		return 0, nil
	}
	n, _, errno := syscall.Syscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&f.iov[0])), uintptr(len(f.iov)))
	clear(f.iov)
	if cap(f.iov) > 64 {
		f.iov = nil
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
