package wscore_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/wscore"
)

// certificate is one of a client, signed by itself.
func certificate(t *testing.T, name string) (tls.Certificate, *x509.Certificate) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, leaf
}

func trusting(hs *httptest.Server) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(hs.Certificate())
	return &tls.Config{RootCAs: pool}
}

func TestTLS(t *testing.T) {
	hs := httptest.NewTLSServer(echoHandler(t, wscore.Settings{Deflate: &wscore.Deflate{}}, func(r *http.Request) {
		if r.TLS == nil {
			t.Error("not over TLS")
		}
	}))
	defer hs.Close()
	u := strings.Replace(hs.URL, "https", "wss", 1)
	d := wscore.NewDialer(wscore.Settings{Deflate: &wscore.Deflate{}})
	c, _, err := d.Dial(await.Context(t), u, &wscore.DialOptions{TLS: trusting(hs)})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 100, 70_000, 900_000} {
		wantEcho(t, c, wscore.OpText, sample(n))
		wantEcho(t, c, wscore.OpBinary, random(n))
	}
	_ = c.Close(wscore.CloseNormal, "")
	if _, _, err := c.Read(await.Context(t)); err == nil {
		t.Error("it goes on after Close")
	}
	closeWithin(t, d.Close)
	if _, _, err := wscore.Dial(await.Context(t), u, nil, nil); err == nil {
		t.Error("a server that nobody vouches for is trusted")
	}
	if _, _, err := wscore.Dial(await.Context(t), strings.Replace(hs.URL, "https", "ws", 1), nil, nil); err == nil {
		t.Error("a plain connection to a TLS server")
	}
}

// Many goroutines send over TLS, where writing waits, while messages come in.
func TestTLSUnderLoad(t *testing.T) {
	hs := httptest.NewTLSServer(echoHandler(t, wscore.Settings{}, nil))
	defer hs.Close()
	c, _, err := wscore.Dial(await.Context(t), hs.URL, &wscore.Settings{}, &wscore.DialOptions{TLS: trusting(hs)})
	if err != nil {
		t.Fatal(err)
	}
	const senders, each = 8, 50
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for range each {
				if err := c.Send(wscore.OpText, []byte(sample(2000))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range senders * each {
		if _, got, err := c.Read(await.Context(t)); err != nil || string(got) != sample(2000) {
			t.Fatal(len(got), err)
		}
	}
	wg.Wait()
	_ = c.CloseNow()
}

// The server sees who its clients are, and refuses those it does not know.
func TestMutualTLS(t *testing.T) {
	known, leaf := certificate(t, "known")
	unknown, _ := certificate(t, "unknown")
	var name string
	hs := httptest.NewUnstartedServer(echoHandler(t, wscore.Settings{}, func(r *http.Request) { name = r.TLS.PeerCertificates[0].Subject.CommonName }))
	clients := x509.NewCertPool()
	clients.AddCert(leaf)
	hs.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	hs.Config.ErrorLog = nil
	hs.StartTLS()
	defer hs.Close()
	cfg := trusting(hs)
	cfg.Certificates = []tls.Certificate{known}
	c, _, err := wscore.Dial(await.Context(t), hs.URL, nil, &wscore.DialOptions{TLS: cfg})
	if err != nil {
		t.Fatal(err)
	}
	wantEcho(t, c, wscore.OpText, "hello")
	_ = c.CloseNow()
	if name != "known" {
		t.Errorf("the client is %q", name)
	}
	for _, certs := range [][]tls.Certificate{nil, {unknown}} {
		cfg.Certificates = certs
		if _, _, err := wscore.Dial(await.Context(t), hs.URL, nil, &wscore.DialOptions{TLS: cfg}); err == nil {
			t.Error("a client that is not known is let in")
		}
	}
}
