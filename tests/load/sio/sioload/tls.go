//go:build linux

package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// layer is TLS over a conn: bytes in, bytes out, nothing of it blocks after the
// handshake.
type layer struct {
	tls   *tls.Conn
	in    []byte // received, not deciphered
	out   []byte // enciphered, not written
	plain []byte
	fd    int // during the handshake: read and write it; else -1
}

// trust reads the certificate that is the only one to be trusted.
func trust(file string) (*tls.Config, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate", file)
	}
	return &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}, nil
}

// newLayer shakes hands over fd, which blocks meanwhile, at most for patience.
func newLayer(fd int, config *tls.Config) (*layer, error) {
	y := &layer{fd: fd, plain: make([]byte, 0, 32<<10)}
	y.tls = tls.Client(y, config)
	limit := syscall.NsecToTimeval(int64(patience))
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit); err != nil {
		return nil, err
	}
	if err := syscall.SetNonblock(fd, false); err != nil {
		return nil, err
	}
	if err := y.tls.Handshake(); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	y.fd = -1
	return y, syscall.SetNonblock(fd, true)
}

// open deciphers what was read. The result holds until the next call.
func (y *layer) open(p []byte) ([]byte, error) {
	y.in = append(y.in, p...)
	y.plain = y.plain[:0]
	for {
		if cap(y.plain)-len(y.plain) < 16<<10 {
			y.plain = append(make([]byte, 0, 2*cap(y.plain)), y.plain...)
		}
		n, err := y.tls.Read(y.plain[len(y.plain):cap(y.plain)])
		y.plain = y.plain[:len(y.plain)+n]
		if err == errDry {
			return y.plain, nil
		}
		if err != nil {
			return nil, fmt.Errorf("TLS: %w", err)
		}
	}
}

// seal enciphers p and returns it behind what was kept.
func (y *layer) seal(p []byte) ([]byte, error) {
	if len(p) > 0 {
		if _, err := y.tls.Write(p); err != nil {
			return nil, fmt.Errorf("TLS: %w", err)
		}
	}
	return y.out, nil
}

// keep remembers what could not be written; it is the end of what seal returned.
func (y *layer) keep(left []byte) { y.out = append(y.out[:0], left...) }

// errDry says that there is no more to decipher for now.
var errDry net.Error = dry{}

type dry struct{}

func (dry) Error() string   { return "nothing more for now" }
func (dry) Timeout() bool   { return true }
func (dry) Temporary() bool { return true }

// Read gives tls what was received.
func (y *layer) Read(p []byte) (int, error) {
	if len(y.in) > 0 {
		n := copy(p, y.in)
		y.in = append(y.in[:0], y.in[n:]...)
		return n, nil
	}
	if y.fd < 0 {
		return 0, errDry
	}
	n, err := syscall.Read(y.fd, p)
	if err == nil && n == 0 {
		err = io.EOF
	}
	return max(n, 0), err
}

// Write takes from tls what is to be sent.
func (y *layer) Write(p []byte) (int, error) {
	if y.fd >= 0 {
		return syscall.Write(y.fd, p)
	}
	y.out = append(y.out, p...)
	return len(p), nil
}

// The rest of a net.Conn, which the handshake and the records do not need.

func (y *layer) Close() error                     { return nil }
func (y *layer) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (y *layer) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (y *layer) SetDeadline(time.Time) error      { return nil }
func (y *layer) SetReadDeadline(time.Time) error  { return nil }
func (y *layer) SetWriteDeadline(time.Time) error { return nil }
