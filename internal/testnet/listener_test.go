package testnet

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Listen(Options{})
		a, err := l.Dial()
		if err != nil {
			t.Fatal(err)
		}
		waiting, err := l.Dial()
		if err != nil {
			t.Fatal(err)
		}
		if a.LocalAddr().String() == waiting.LocalAddr().String() {
			t.Fatal("two clients with one address")
		}
		b, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(a, "hello")
		buf := make([]byte, 9)
		if n, err := b.Read(buf); err != nil || string(buf[:n]) != "hello" {
			t.Fatalf("read %q, %v", buf[:n], err)
		}

		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("Accept = %v", err)
		}
		if _, err := l.Dial(); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("Dial = %v", err)
		}
		if _, err := waiting.Read(buf); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("a connection that nobody accepted: %v", err)
		}
		io.WriteString(b, "still open")
		if n, err := a.Read(buf); err != nil || n == 0 {
			t.Fatalf("Close ended an accepted connection: %v", err)
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("second Close = %v", err)
		}
	})
}

func TestDialWaitsForAFullBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Listen(Options{})
		defer l.Close()
		for range backlog {
			if _, err := l.Dial(); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.DialContext(ctx, "tcp", "anywhere:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Dial = %v", err)
		}
	})
}

// serve runs an http.Server on a Listener in a bubble.
func serve(t *testing.T, o Options, h http.HandlerFunc, f func(t *testing.T, c *http.Client, l *Listener)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := Listen(o)
		srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
		ended := make(chan error)
		go func() { ended <- srv.Serve(l) }()
		tr := &http.Transport{DialContext: l.DialContext}
		f(t, &http.Client{Transport: tr}, l)
		tr.CloseIdleConnections()
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
}

func TestHTTP(t *testing.T) {
	for _, o := range []Options{{}, {Plain: true}, {Capacity: 100, Latency: time.Millisecond}} {
		echo := func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.Write(body)
		}
		serve(t, o, echo, func(t *testing.T, c *http.Client, _ *Listener) {
			for i := range 3 {
				body := strings.Repeat(fmt.Sprint(i), 10_000)
				res, err := c.Post("http://example/", "text/plain", strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || string(got) != body {
					t.Fatalf("%d bytes came back, %v", len(got), err)
				}
			}
		})
	}
}

func TestHTTPTimeout(t *testing.T) {
	serve(t, Options{}, nil, func(t *testing.T, _ *http.Client, l *Listener) {
		c, err := l.Dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		start := time.Now()
		io.WriteString(c, "GET / HTTP/1.1\r\n")
		io.ReadAll(c)
		if d := time.Since(start); d != 5*time.Second {
			t.Fatalf("a client that never ends its header was cut off after %v", d)
		}
	})
}

func TestHTTPAbortedRequest(t *testing.T) {
	ended := make(chan struct{})
	wait := func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(ended)
	}
	serve(t, Options{}, func(w http.ResponseWriter, r *http.Request) { wait(w, r) }, func(t *testing.T, c *http.Client, _ *Listener) {
		ended = make(chan struct{}) // one of the bubble
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, "GET", "http://example/", nil)
		if _, err := c.Do(req); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Do = %v", err)
		}
		<-ended
	})
}

func TestHTTPHijack(t *testing.T) {
	hijack := func(w http.ResponseWriter, r *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		if _, ok := c.(*Conn); !ok {
			t.Errorf("hijacked a %T", c)
		}
		early, err := rw.Reader.Peek(rw.Reader.Buffered())
		if err != nil || string(early) != "early" {
			t.Errorf("%q was buffered, %v", early, err)
		}
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nraw")
	}
	serve(t, Options{}, hijack, func(t *testing.T, _ *http.Client, l *Listener) {
		c, err := l.Dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nearly")
		br := bufio.NewReader(c)
		res, err := http.ReadResponse(br, nil)
		if err != nil || res.StatusCode != 101 {
			t.Fatalf("%v, %v", res, err)
		}
		if rest, err := io.ReadAll(br); err != nil || string(rest) != "raw" {
			t.Fatalf("%q, %v after the header", rest, err)
		}
	})
}
