//go:build unix && !linux

package wscore

import "syscall"

// writev writes the first piece alone: package syscall has no writev here.
func (w *write) writev(fd uintptr) (int, error) {
	for _, b := range w.bufs {
		if len(b) > 0 {
			return syscall.Write(int(fd), b)
		}
	}
	return 0, nil
}
