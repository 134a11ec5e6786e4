package noise_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/noise"
)

const limit = 30 * time.Second

// teller tells what it is told, and on a server echoes.
type teller struct {
	p      *wscore.Process
	events chan string
}

func (s teller) OnOpen() {
	key, ok := noise.PeerKey(s.p)
	s.events <- fmt.Sprintf("open %v %.8v", ok, key)
}

func (s teller) OnMessage(op wscore.Opcode, data []byte) {
	if !s.p.IsClient() {
		_ = s.p.Send(op, data)
		return
	}
	s.events <- fmt.Sprintf("%d %d %.20s", op, len(data), data)
}

func (s teller) OnClose(error) { s.events <- "close" }

func telling(names ...string) (wscore.ProtocolSpec, chan string) {
	events := make(chan string, 1000)
	return wscore.ProtocolSpec{Names: names, New: func(p *wscore.Process) wscore.Protocol { return teller{p, events} }}, events
}

func want(t *testing.T, events chan string, list ...string) {
	t.Helper()
	for _, w := range list {
		select {
		case got := <-events:
			if got != w {
				t.Fatalf("got %q, want %q", got, w)
			}
		case <-time.After(limit):
			t.Fatalf("%q did not come", w)
		}
	}
}

func serve(t *testing.T, spec wscore.ProtocolSpec, s wscore.ProcessSettings) (h *wscore.Handler, url string) {
	list := new(wscore.ProtocolList)
	list.Add(spec)
	s.Conn.CloseTimeout = 200 * time.Millisecond
	h = wscore.NewHandler(list, s)
	hs := httptest.NewServer(h)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		hs.Close()
	})
	return h, hs.URL
}

func client(t *testing.T, url string, spec wscore.ProtocolSpec) (*wscore.Client, *wscore.Process, error) {
	c := wscore.NewClient(url, spec, wscore.ClientSettings{NoReconnect: true})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	p, err := c.Connect(await.Context(t))
	return c, p, err
}

var (
	serverKey, clientKey, otherKey = noise.GenerateKey(), noise.GenerateKey(), noise.GenerateKey()
	psk                            = []byte("0123456789abcdef0123456789abcdef")
)

// sides are configurations that fit each other.
func sides(p noise.Pattern, s noise.Suite) (server, client noise.Config) {
	server = noise.Config{Pattern: p, Suite: s, Key: serverKey}
	client = noise.Config{Pattern: p, Suite: s, PeerKey: serverKey.Public}
	if p != noise.NK && p != noise.XX {
		server.PSK, client.PSK = psk, psk
	}
	if p == noise.XX || p == noise.XXpsk0 || p == noise.XXpsk3 {
		client.PeerKey, client.Key = noise.PublicKey{}, clientKey
		client.Verify, server.Verify = noise.Allow(serverKey.Public), noise.Allow(otherKey.Public, clientKey.Public)
	}
	return server, client
}

func TestPatternsAndSuites(t *testing.T) {
	for p := noise.NK; p <= noise.XXpsk3; p++ {
		for _, s := range []noise.Suite{noise.ChaChaPoly, noise.AESGCM} {
			t.Run(fmt.Sprint(p, s), func(t *testing.T) {
				sc, cc := sides(p, s)
				cc.Padding = 100 // each side may pad as it likes
				ss, serverEvents := telling("x")
				h, u := serve(t, noise.Protect(ss, sc), wscore.ProcessSettings{Conn: wscore.Settings{Deflate: &wscore.Deflate{}}})
				cs, clientEvents := telling("x")
				_, proc, err := client(t, u, noise.Protect(cs, cc))
				if err != nil {
					t.Fatal(err)
				}
				want(t, clientEvents, fmt.Sprintf("open true %.8v", serverKey.Public))
				if cc.Key == (noise.Key{}) {
					want(t, serverEvents, "open false 00000000")
				} else {
					want(t, serverEvents, fmt.Sprintf("open true %.8v", clientKey.Public))
				}
				for _, n := range []int{0, 1, 1000, 200_000} {
					if err := errors.Join(proc.Send(wscore.OpText, []byte(strings.Repeat("t", n))), proc.SendLater(wscore.OpBinary, make([]byte, n))); err != nil {
						t.Fatal(err)
					}
					want(t, clientEvents, fmt.Sprintf("1 %d %.20s", n, strings.Repeat("t", n)), fmt.Sprintf("2 %d %.20s", n, make([]byte, n)))
				}
				sp, _ := h.Lookup(proc.ID())
				if a, b := noise.HandshakeHash(proc), noise.HandshakeHash(sp); len(a) != 32 || string(a) != string(b) {
					t.Errorf("hashes %x, %x", a, b)
				}
				_ = proc.Close(wscore.CloseNormal, "")
				want(t, serverEvents, "close")
				want(t, clientEvents, "close")
			})
		}
	}
}

func TestHandshakeRefused(t *testing.T) {
	for name, change := range map[string]func(server, client *noise.Config) noise.Pattern{
		"another server": func(s, _ *noise.Config) noise.Pattern { s.Key = otherKey; return noise.NK },
		"another psk":    func(s, _ *noise.Config) noise.Pattern { s.PSK = make([]byte, 32); return noise.NKpsk2 },
		"another psk, at first": func(s, _ *noise.Config) noise.Pattern {
			s.PSK = make([]byte, 32)
			return noise.XXpsk0
		},
		"another prologue":   func(s, _ *noise.Config) noise.Pattern { s.Prologue = []byte("v2"); return noise.NK },
		"another suite":      func(s, _ *noise.Config) noise.Pattern { s.Suite = noise.AESGCM; return noise.NK },
		"client not allowed": func(s, _ *noise.Config) noise.Pattern { s.Verify = noise.Allow(otherKey.Public); return noise.XX },
		"server not allowed": func(_, c *noise.Config) noise.Pattern { c.Verify = noise.Allow(otherKey.Public); return noise.XX },
		"server refused": func(_, c *noise.Config) noise.Pattern {
			c.Verify = func(*wscore.Process, noise.PublicKey) error { return errors.New("no") }
			return noise.XX
		},
		"server without a key": func(s, _ *noise.Config) noise.Pattern { s.Key = noise.Key{}; return noise.NK },
		"no PeerKey":           func(_, c *noise.Config) noise.Pattern { c.PeerKey = noise.PublicKey{}; return noise.NK },
		"a short psk":          func(_, c *noise.Config) noise.Pattern { c.PSK = psk[:31]; return noise.NKpsk0 },
		"no Verify":            func(_, c *noise.Config) noise.Pattern { c.Verify = nil; return noise.XX },
	} {
		t.Run(name, func(t *testing.T) {
			var sc, cc noise.Config
			sc, cc = sides(change(&sc, &cc), noise.ChaChaPoly)
			change(&sc, &cc)
			ss, serverEvents := telling("x")
			_, u := serve(t, noise.Protect(ss, sc), wscore.ProcessSettings{})
			cs, clientEvents := telling("x")
			_, p, err := client(t, u, noise.Protect(cs, cc))
			// The side that says the last word of the handshake learns only afterwards.
			switch name {
			case "another psk":
				want(t, serverEvents, "open false 00000000")
			case "client not allowed":
				want(t, clientEvents, fmt.Sprintf("open true %.8v", serverKey.Public))
				if err == nil {
					<-p.Done()
					err = p.Err()
				}
			}
			var ce *wscore.CloseError
			if !errors.As(err, &ce) || ce.Code != wscore.ClosePolicy {
				t.Errorf("got %v", err)
			}
			want(t, serverEvents, "close")
			want(t, clientEvents, "close")
		})
	}
}

// One who sends nothing, too much, or what is no handshake is cut off.
func TestPeersThatDoNotShakeHands(t *testing.T) {
	sc, _ := sides(noise.NK, noise.ChaChaPoly)
	sc.Timeout = 50 * time.Millisecond
	ss, events := telling("x")
	_, u := serve(t, noise.Protect(ss, sc), wscore.ProcessSettings{})
	for name, send := range map[string]func(c *wscore.Conn) error{
		"silence":   func(*wscore.Conn) error { return nil },
		"text":      func(c *wscore.Conn) error { return c.Send(wscore.OpText, []byte("hello")) },
		"garbage":   func(c *wscore.Conn) error { return c.Send(wscore.OpBinary, make([]byte, 48)) },
		"oversized": func(c *wscore.Conn) error { return c.Send(wscore.OpBinary, make([]byte, 100_000)) },
	} {
		t.Run(name, func(t *testing.T) {
			c, _, err := wscore.Dial(await.Context(t), u, &wscore.Settings{Subprotocols: []string{"x"}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := send(c); err != nil {
				t.Fatal(err)
			}
			var ce *wscore.CloseError
			if _, _, err := c.Read(await.Context(t)); !errors.As(err, &ce) || ce.Code != wscore.ClosePolicy || !ce.Remote {
				t.Errorf("got %v", err)
			}
			want(t, events, "close")
		})
	}
}

// What is sent from many goroutines is opened in the order of sealing.
func TestConcurrentSends(t *testing.T) {
	sc, cc := sides(noise.NK, noise.ChaChaPoly)
	ss, _ := telling("x")
	_, u := serve(t, noise.Protect(ss, sc), wscore.ProcessSettings{})
	cs, events := telling("x")
	_, proc, err := client(t, u, noise.Protect(cs, cc))
	if err != nil {
		t.Fatal(err)
	}
	want(t, events, fmt.Sprintf("open true %.8v", serverKey.Public))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				send := proc.Send
				if i%2 == 0 {
					send = proc.SendLater
				}
				if err := send(wscore.OpText, []byte("x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for range 400 {
		want(t, events, "1 1 x")
	}
}

func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := noise.WriteKeyFile(path, serverKey); err != nil {
		t.Fatal(err)
	}
	if k, err := noise.LoadKeyFile(path); err != nil || k != serverKey {
		t.Errorf("%v", err)
	}
	if err := noise.WriteKeyFile(path, serverKey); err == nil {
		t.Error("a key file was overwritten")
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := noise.LoadKeyFile(path); err == nil || !strings.Contains(err.Error(), "600") {
		t.Errorf("a file for others: %v", err)
	}
	for i, bad := range []string{"", "x25519-private-key 00", "x25519-private-key zz", serverKey.Public.String()} {
		p := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(p, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := noise.LoadKeyFile(p); !errors.Is(err, noise.ErrKey) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if k, err := noise.ParsePublicKey(serverKey.Public.String() + "\n"); err != nil || k != serverKey.Public {
		t.Error(err)
	}
	if _, err := noise.ParsePublicKey("00"); !errors.Is(err, noise.ErrKey) {
		t.Error(err)
	}
}

// A server that proves its key, and a client that asks for it.
func ExampleProtect() {
	server := noise.GenerateKey() // in life: LoadKeyFile
	list := new(wscore.ProtocolList)
	list.Add(noise.Protect(wscore.ProtocolSpec{Names: []string{"secret"}, New: newEcho}, noise.Config{Pattern: noise.NK, Key: server}))
	hs := httptest.NewServer(wscore.NewHandler(list, wscore.ProcessSettings{}))
	defer hs.Close()

	heard := make(chan string)
	spec := wscore.ProtocolSpec{Names: []string{"secret"}, New: func(*wscore.Process) wscore.Protocol { return listener{heard} }}
	c := wscore.NewClient(hs.URL, noise.Protect(spec, noise.Config{Pattern: noise.NK, PeerKey: server.Public}), wscore.ClientSettings{})
	p, err := c.Connect(context.Background())
	if err != nil {
		panic(err)
	}
	_ = p.Send(wscore.OpText, []byte("for your eyes only"))
	fmt.Println(<-heard)
	_ = c.Close(context.Background())
	// Output: for your eyes only
}

type echo struct{ p *wscore.Process }

func newEcho(p *wscore.Process) wscore.Protocol        { return echo{p} }
func (e echo) OnMessage(op wscore.Opcode, data []byte) { _ = e.p.Send(op, data) }
func (e echo) OnClose(error)                           {}

type listener struct{ heard chan string }

func (l listener) OnMessage(_ wscore.Opcode, data []byte) { l.heard <- string(data) }
func (l listener) OnClose(error)                          {}
