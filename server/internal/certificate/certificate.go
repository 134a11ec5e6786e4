package certificate

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Interval is the shortest time between two looks at the files.
const Interval = 5 * time.Second

// Files is a certificate with its chain, and its key, each in a file in PEM form. Its
// methods may be called from any goroutine.
type Files struct {
	cert, key string
	log       *slog.Logger
	now       func() time.Time
	current   atomic.Pointer[tls.Certificate]

	mu      sync.Mutex       // guards what follows; who finds it held takes the current one
	next    time.Time        // of the next look
	seen    pair             // what current was read from
	trouble string           // that was logged last; "" when there is none
	invalid *tls.Certificate // of which was logged that it is not valid
}

// pair is what is known of both files without reading them.
type pair [2]os.FileInfo

func (p pair) same(q pair) bool {
	for i := range p {
		if !os.SameFile(p[i], q[i]) || !p[i].ModTime().Equal(q[i].ModTime()) || p[i].Size() != q[i].Size() {
			return false
		}
	}
	return true
}

// Load reads both files. log hears of what becomes of them later.
func Load(cert, key string, log *slog.Logger) (*Files, error) {
	return load(cert, key, log, time.Now)
}

func load(cert, key string, log *slog.Logger, now func() time.Time) (*Files, error) {
	f := &Files{cert: cert, key: key, log: log, now: now}
	found, err := f.look()
	if err == nil {
		err = f.read(found)
	}
	if err != nil {
		return nil, err
	}
	f.next = f.now().Add(Interval)
	f.judge()
	return f, nil
}

// Config returns the settings of a server with this certificate.
func (f *Files) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.latest(), nil },
	}
}

// Expiry is when the certificate in use expires.
func (f *Files) Expiry() time.Time { return f.latest().Leaf.NotAfter }

// latest returns the certificate, read anew when it is time and the files have changed.
func (f *Files) latest() *tls.Certificate {
	if f.mu.TryLock() {
		f.refresh()
		f.mu.Unlock()
	}
	return f.current.Load()
}

// refresh looks at the files if it is time. While they are of no use the old certificate
// goes on, and each look tries again: rights may have changed alone. mu is held.
func (f *Files) refresh() {
	now := f.now()
	if now.Before(f.next) {
		return
	}
	f.next = now.Add(Interval)
	defer f.judge()
	found, err := f.look()
	if err == nil && found.same(f.seen) {
		f.trouble = ""
		return
	}
	if err == nil {
		err = f.read(found)
	}
	switch {
	case err == nil:
		f.trouble = ""
		f.log.Info("the certificate was renewed", slog.Time("expires", f.current.Load().Leaf.NotAfter))
	case err.Error() != f.trouble:
		f.trouble = err.Error()
		f.log.Warn("the new certificate is of no use, the old one goes on", slog.Any("err", err))
	}
}

// judge warns, once, if the certificate in use is not valid yet or any more: clients
// refuse it, and all this program would see of that is an alert. mu is held, or nobody
// else knows f yet.
func (f *Files) judge() {
	c, now := f.current.Load(), f.now()
	if c == f.invalid || !now.Before(c.Leaf.NotBefore) && !now.After(c.Leaf.NotAfter) {
		return
	}
	f.invalid = c
	f.log.Warn("the certificate is not valid now", slog.Time("from", c.Leaf.NotBefore), slog.Time("until", c.Leaf.NotAfter))
}

func (f *Files) look() (found pair, err error) {
	for i, name := range []string{f.cert, f.key} {
		if found[i], err = os.Stat(name); err != nil {
			return found, err
		}
	}
	return found, nil
}

// read reads the files that look has found. When they change meanwhile the next look sees
// that. mu is held, or nobody else knows f yet.
func (f *Files) read(found pair) error {
	c, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return err
	}
	f.current.Store(&c)
	f.seen = found
	return nil
}
