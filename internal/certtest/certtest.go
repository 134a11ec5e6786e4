package certtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Certificate is a certificate in files.
type Certificate struct {
	Cert, Key string // names of the files
	Leaf      *x509.Certificate
}

// Write is Make for tests.
func Write(t testing.TB, dir string) Certificate {
	t.Helper()
	c, err := Make(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Make makes a new certificate and puts it into cert.pem and key.pem of dir, in place of
// an earlier one.
func Make(dir string) (Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "test"}, NotBefore: now.Add(-time.Minute), NotAfter: now.Add(7 * 24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return Certificate{}, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Certificate{}, err
	}
	c := Certificate{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), leaf}
	return c, errors.Join(put(c.Cert, "CERTIFICATE", der), put(c.Key, "PRIVATE KEY", secret))
}

// Client returns the settings of a client that trusts c and nobody else.
func (c Certificate) Client() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(c.Leaf)
	return &tls.Config{RootCAs: roots}
}

// put replaces a file at once, as programs that renew certificates do.
func put(name, kind string, der []byte) error {
	if err := os.WriteFile(name+".new", pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
