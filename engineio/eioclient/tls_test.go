package eioclient_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/wscore"
)

// Every transport, and the upgrade, over TLS on loopback, compressed.
func TestTLS(t *testing.T) {
	srv, err := engineio.New(engineio.Config{}, shouting{})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewTLSServer(srv)
	t.Cleanup(func() {
		if err := srv.Close(context.Background()); err != nil {
			t.Error(err)
		}
		h.Close()
	})
	roots := x509.NewCertPool()
	roots.AddCert(h.Certificate())
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			cfg := eioclient.Config{TLS: &tls.Config{RootCAs: roots}, Deflate: new(wscore.Deflate)}
			switch mode {
			case "polling":
				cfg.NoUpgrade = true
			case "websocket":
				cfg.Transports = []string{eioclient.WebSocket}
			}
			received, upgraded := make(chan string, 10), make(chan bool, 1)
			s, err := dialURL(t, h.URL, cfg, eioclient.Handler{
				OnMessage: func(binary bool, data []byte) { received <- string(data) },
				OnUpgrade: func() { upgraded <- true },
			})
			if err != nil {
				t.Fatal(err)
			}
			if mode == "upgrade" {
				<-upgraded
			}
			text := string(make([]byte, 5000))
			for range 3 {
				if err := s.Send(0, eioclient.Message{Data: []byte(text)}); err != nil {
					t.Fatal(err)
				}
				if got := <-received; got != text+"!" {
					t.Errorf("got %d bytes", len(got))
				}
			}
			s.Close()
			select {
			case <-s.Done():
			case <-time.After(time.Minute):
				t.Error("it does not end")
			}
		})
	}
}

// A certificate that nobody trusts.
func TestUntrusted(t *testing.T) {
	h := httptest.NewTLSServer(nil)
	t.Cleanup(h.Close)
	for _, transport := range []string{eioclient.Polling, eioclient.WebSocket} {
		_, err := dialURL(t, h.URL, eioclient.Config{Transports: []string{transport}}, eioclient.Handler{})
		if err == nil {
			t.Errorf("%s: no error", transport)
		}
	}
}
