//go:build unix && !linux

package wscore

import "syscall"

// iovecs is not needed here.
type iovecs struct{}

// writev writes the first piece alone: package syscall has no writev here.
func (iovecs) writev(fd uintptr, bufs [][]byte) (int, error) {
	for _, b := range bufs {
		if len(b) > 0 {
			return syscall.Write(int(fd), b)
		}
	}
	return 0, nil
}
