//go:build linux && (amd64 || arm64) && !race

package wscore

import (
	"syscall"
	"unsafe"
)

// Under the race detector package syscall is called instead: it tells the
// detector that what was written before is seen by who reads.

// briefly is how many bytes a call may hand to the kernel without the scheduler
// being told of it. A call that does not block and copies little is over before
// that would be worth it.
const briefly = 64 << 10

// call is a system call on a socket, whatever its mode, that does not block.
func call(brief bool, trap, fd, a, b, flags uintptr) (int, error) {
	var n uintptr
	var e syscall.Errno
	if brief {
		n, _, e = syscall.RawSyscall6(trap, fd, a, b, flags|syscall.MSG_DONTWAIT, 0, 0)
	} else {
		n, _, e = syscall.Syscall6(trap, fd, a, b, flags|syscall.MSG_DONTWAIT, 0, 0)
	}
	if e != 0 {
		return 0, e
	}
	return int(n), nil
}

// readSocket is recvfrom(2).
func readSocket(fd uintptr, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	return call(len(b) <= briefly, syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0)
}

// writeSocket is sendto(2).
func writeSocket(fd uintptr, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	return call(len(b) <= briefly, syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), syscall.MSG_NOSIGNAL)
}

// iovecs is what sendmsg(2) is given.
type iovecs struct {
	iov [maxPieces]syscall.Iovec
	msg syscall.Msghdr
}

// writev is sendmsg(2).
func (w *iovecs) writev(fd uintptr, bufs [][]byte) (int, error) {
	k, size := 0, 0
	for _, b := range bufs {
		if len(b) == 0 {
			continue
		}
		w.iov[k].Base = &b[0]
		w.iov[k].SetLen(len(b))
		size += len(b)
		k++
	}
	if k == 0 {
		return 0, nil
	}
	w.msg.Iov, w.msg.Iovlen = &w.iov[0], uint64(k)
	n, err := call(size <= briefly, syscall.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&w.msg)), syscall.MSG_NOSIGNAL, 0)
	clear(w.iov[:k])
	return n, err
}
