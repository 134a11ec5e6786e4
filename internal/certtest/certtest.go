package certtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
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

// Write makes a new certificate and puts it into cert.pem and key.pem of dir, in place of
// an earlier one.
func Write(t testing.TB, dir string) Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	must(t, err)
	now := time.Now()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "test"}, NotBefore: now.Add(-time.Minute), NotAfter: now.Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}, &x509.Certificate{Subject: pkix.Name{CommonName: "test"}, SerialNumber: serial}, key.Public(), key)
	must(t, err)
	leaf, err := x509.ParseCertificate(der)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	c := Certificate{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), leaf}
	put(t, c.Cert, "CERTIFICATE", der)
	put(t, c.Key, "PRIVATE KEY", secret)
	return c
}

// Client returns the settings of a client that trusts c and nobody else.
func (c Certificate) Client() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(c.Leaf)
	return &tls.Config{RootCAs: roots}
}

// put replaces a file at once, as programs that renew certificates do.
func put(t testing.TB, name, kind string, der []byte) {
	t.Helper()
	must(t, os.WriteFile(name+".new", pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	must(t, os.Rename(name+".new", name))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
