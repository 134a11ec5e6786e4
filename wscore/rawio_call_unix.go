//go:build unix && !(linux && (amd64 || arm64) && !race)

package wscore

import "syscall"

// readSocket is read(2).
func readSocket(fd uintptr, b []byte) (int, error) { return syscall.Read(int(fd), b) }

// writeSocket is write(2).
func writeSocket(fd uintptr, b []byte) (int, error) { return syscall.Write(int(fd), b) }
