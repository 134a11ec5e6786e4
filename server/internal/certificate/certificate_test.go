package certificate

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/certtest"
)

// bench is a certificate whose time the test makes go by.
type bench struct {
	*Files
	t   *testing.T
	dir string
	at  time.Time
	log bytes.Buffer
}

func newBench(t *testing.T) (*bench, certtest.Certificate) {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir()}
	c := certtest.Write(t, b.dir)
	var err error
	if b.Files, err = Load(c.Cert, c.Key, slog.New(slog.NewTextHandler(&b.log, nil))); err != nil {
		t.Fatal(err)
	}
	b.at = time.Now().Add(Interval)
	b.now = func() time.Time { return b.at }
	return b, c
}

// want compares what the next client would get.
func (b *bench) want(why string, serial *big.Int) {
	b.t.Helper()
	c, err := b.Config().GetCertificate(new(tls.ClientHelloInfo))
	if err != nil {
		b.t.Fatal(err)
	}
	if c.Leaf.SerialNumber.Cmp(serial) != 0 {
		b.t.Errorf("%s: another certificate", why)
	}
}

func TestRenewed(t *testing.T) {
	b, old := newBench(t)
	b.want("at first", old.Leaf.SerialNumber)
	renewed := certtest.Write(t, b.dir)
	b.at = b.at.Add(Interval - 1)
	b.want("it is not time to look again", old.Leaf.SerialNumber)
	b.at = b.at.Add(1)
	b.want("it is", renewed.Leaf.SerialNumber)
	if !b.Expiry().Equal(renewed.Leaf.NotAfter) {
		t.Errorf("it expires %v", b.Expiry())
	}
	if n := strings.Count(b.log.String(), "the certificate was renewed"); n != 1 {
		t.Errorf("told %d times:\n%s", n, &b.log)
	}
}

// A certificate that is not valid is told of once, when it is read and when it expires:
// it goes on, since the clock may be wrong.
func TestNotValid(t *testing.T) {
	const complaint = "the certificate is not valid now"
	b, c := newBench(t)
	b.want("at first", c.Leaf.SerialNumber)
	if b.log.Len() > 0 {
		t.Errorf("told of a good one:\n%s", &b.log)
	}
	b.at = c.Leaf.NotAfter.Add(Interval)
	for range 3 {
		b.want("expired", c.Leaf.SerialNumber)
		b.at = b.at.Add(Interval)
	}
	renewed := certtest.Write(t, b.dir) // as old as the first
	b.want("so is the next", renewed.Leaf.SerialNumber)
	if n := strings.Count(b.log.String(), complaint); n != 2 {
		t.Errorf("told %d times:\n%s", n, &b.log)
	}
	for name, at := range map[string]time.Time{"not yet": c.Leaf.NotBefore.Add(-1), "any more": renewed.Leaf.NotAfter.Add(1)} {
		var log bytes.Buffer
		f, err := load(c.Cert, c.Key, slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return at })
		if err != nil || !strings.Contains(log.String(), complaint) || f.Expiry().IsZero() {
			t.Errorf("%s: %v\n%s", name, err, &log)
		}
	}
}

// A pair that is of no use is told of once, and the old one goes on until there is one
// that is.
func TestBroken(t *testing.T) {
	const complaint = "the new certificate is of no use"
	for name, spoil := range map[string]func(c certtest.Certificate) error{
		"no certificate": func(c certtest.Certificate) error { return os.WriteFile(c.Cert, []byte("nothing"), 0o600) },
		"half of it":     func(c certtest.Certificate) error { return os.Truncate(c.Cert, 100) },
		"empty":          func(c certtest.Certificate) error { return os.Truncate(c.Key, 0) },
		"away":           func(c certtest.Certificate) error { return os.Remove(c.Key) },
		"the key of another": func(c certtest.Certificate) error {
			return os.Rename(certtest.Write(t, t.TempDir()).Key, c.Key)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, c := newBench(t)
			if err := spoil(c); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				b.want("it goes on", c.Leaf.SerialNumber)
				b.at = b.at.Add(Interval)
			}
			if n := strings.Count(b.log.String(), complaint); n != 1 {
				t.Errorf("told %d times:\n%s", n, &b.log)
			}
			mended := certtest.Write(t, b.dir)
			b.want("mended", mended.Leaf.SerialNumber)
			if err := spoil(mended); err != nil {
				t.Fatal(err)
			}
			b.at = b.at.Add(Interval)
			b.want("it goes on", mended.Leaf.SerialNumber)
			if n := strings.Count(b.log.String(), complaint); n != 2 {
				t.Errorf("told %d times:\n%s", n, &b.log)
			}
		})
	}
}

// The files are read only when they have changed.
func TestUnchanged(t *testing.T) {
	b, _ := newBench(t)
	first := b.latest()
	for range 3 {
		b.at = b.at.Add(Interval)
		if b.latest() != first {
			t.Error("it was read again")
		}
	}
}

// Who comes while another one looks at the files does not wait.
func TestNobodyWaits(t *testing.T) {
	b, c := newBench(t)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.want("the current one", c.Leaf.SerialNumber)
}

func TestLoadFails(t *testing.T) {
	c := certtest.Write(t, t.TempDir())
	if _, err := Load(c.Cert, c.Key+".none", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a key: %v", err)
	}
	if _, err := Load(c.Cert, c.Cert, nil); err == nil {
		t.Error("a certificate is no key")
	}
}

func TestMinimum(t *testing.T) {
	b, _ := newBench(t)
	if v := b.Config().MinVersion; v != tls.VersionTLS12 {
		t.Errorf("version %x", v)
	}
}
