package wscore_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/wscore"
)

// sample is n bytes of text with some repetition.
func sample(n int) string {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, `{"id":%d,"name":"item %d"},`, r.IntN(1000), r.IntN(10))
	}
	return b.String()[:n]
}

func random(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return string(b)
}

// deflating dials a server with these settings on each side.
func deflating(t *testing.T, server, client *wscore.Deflate) (*wscore.Conn, *wscore.Dialer) {
	hs := httptest.NewServer(echoHandler(t, wscore.Settings{Deflate: server, MaxMessage: 4 << 20}, nil))
	t.Cleanup(hs.Close)
	d := wscore.NewDialer(wscore.Settings{Deflate: client, MaxMessage: 4 << 20})
	t.Cleanup(func() { closeWithin(t, d.Close) })
	c, resp, err := d.Dial(await.Context(t), hs.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("Sec-Websocket-Extensions"); got != c.Extensions() {
		t.Errorf("Extensions() = %q, the response says %q", c.Extensions(), got)
	}
	return c, d
}

func TestDeflateEcho(t *testing.T) {
	settings := map[string]*wscore.Deflate{
		"off": nil, "default": {}, "everything": {Threshold: -1}, "takeover": {Takeover: true, Threshold: -1},
		"takeover, whole window": {Takeover: true, Threshold: -1, Dictionary: 8192, PeerWindow: 15},
		"takeover, small window": {Takeover: true, Threshold: -1, PeerWindow: 8}, "level 6": {Level: 6, Threshold: -1},
	}
	for sn, server := range settings {
		for cn, client := range settings {
			t.Run(sn+"-"+cn, func(t *testing.T) {
				t.Parallel()
				c, _ := deflating(t, server, client)
				if on := c.Extensions() != ""; on != (server != nil && client != nil) {
					t.Errorf("extensions %q", c.Extensions())
				}
				for _, n := range []int{0, 1, 100, 1023, 1024, 5000, 40000, 70000} {
					wantEcho(t, c, wscore.OpText, sample(n))
					wantEcho(t, c, wscore.OpBinary, random(n))
				}
				for i := range 20 {
					wantEcho(t, c, wscore.OpText, sample(200+i))
				}
			})
		}
	}
}

// What a listener gets of each wire form is the same.
func TestDeflatePrepared(t *testing.T) {
	for name, d := range map[string]*wscore.Deflate{"none": nil, "shared form": {}, "own form": {Takeover: true}} {
		t.Run(name, func(t *testing.T) {
			c, _ := deflating(t, d, d)
			p := wscore.NewPrepared(wscore.Message{Op: wscore.OpText, Prefix: []byte("a"), Data: []byte(sample(3000))},
				wscore.Message{Op: wscore.OpBinary, Data: []byte(sample(5000)), Plain: true}, wscore.Message{Op: wscore.OpText, Data: []byte("short")})
			for range 3 {
				if err := c.SendPrepared(p, 0); err != nil {
					t.Fatal(err)
				}
				for _, want := range []string{"a" + sample(3000), sample(5000), "short"} {
					if _, got, err := c.Read(await.Context(t)); err != nil || string(got) != want {
						t.Fatalf("got %.30q, %v", got, err)
					}
				}
			}
		})
	}
}

func TestDeflateStreams(t *testing.T) {
	for name, d := range map[string]*wscore.Deflate{"no takeover": {}, "takeover": {Takeover: true}} {
		t.Run(name, func(t *testing.T) {
			c, _ := deflating(t, d, d)
			for _, n := range []int{0, 10, 16384, 200000} {
				w, err := c.NextWriter(await.Context(t), wscore.OpText)
				if err != nil {
					t.Fatal(err)
				}
				for b := []byte(sample(n)); len(b) > 0; {
					k := min(len(b), 777)
					if _, err := w.Write(b[:k]); err != nil {
						t.Fatal(err)
					}
					b = b[k:]
				}
				if err := errors.Join(c.Send(wscore.OpText, []byte(sample(2000))), w.Close()); err != nil {
					t.Fatal(err)
				}
				_, r, err := c.NextReader(await.Context(t))
				if err != nil {
					t.Fatal(err)
				}
				if got, err := io.ReadAll(r); err != nil || string(got) != sample(n) {
					t.Fatalf("%d bytes: got %d, %v", n, len(got), err)
				}
				_, r, err = c.NextReader(await.Context(t))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(r, make([]byte, 10)); err != nil { // the rest is skipped
					t.Fatal(err)
				}
			}
		})
	}
}

func TestDeflateNetConn(t *testing.T) {
	c, _ := deflating(t, &wscore.Deflate{}, &wscore.Deflate{})
	nc := c.NetConn(wscore.OpBinary)
	want := sample(100000)
	for i := 0; i < len(want); i += 5000 {
		if _, err := io.WriteString(nc, want[i:i+5000]); err != nil {
			t.Fatal(err)
		}
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(nc, got); err != nil || string(got) != want {
		t.Error("other bytes", err)
	}
	_ = nc.Close()
}

// A refused message leaves what both sides remember alike.
func TestDeflateAfterRefusal(t *testing.T) {
	d := &wscore.Deflate{Takeover: true, Threshold: -1}
	s := wscore.Settings{Deflate: d, Queue: wscore.Queue{Bytes: 8 << 10, OnFull: wscore.DropNewest}}
	synctest.Test(t, func(t *testing.T) {
		a, b := testnet.Pipe(testnet.Options{Capacity: 2 << 10})
		srv, dialer := wscore.NewServer(s), wscore.NewDialer(s)
		defer func() { closeWithin(t, srv.Close); closeWithin(t, dialer.Close) }()
		server, client := wscore.Agree(srv.NewConn(b), dialer.NewConn(a))
		var sent []string
		refused := 0
		for i := range 200 {
			msg := fmt.Sprintf("%d %s", i, base64.StdEncoding.EncodeToString([]byte(random(900))))
			switch err := client.Send(wscore.OpText, []byte(msg)); {
			case errors.Is(err, wscore.ErrQueueFull):
				refused++
			case err != nil:
				t.Fatal(err)
			default:
				sent = append(sent, msg)
			}
			if i%20 == 19 {
				for _, want := range sent {
					if _, got, err := server.Read(t.Context()); err != nil || string(got) != want {
						t.Fatalf("got %.20q, %v, want %.20q", got, err, want)
					}
				}
				sent = nil
			}
		}
		if refused == 0 {
			t.Error("the queue was never full")
		}
	})
}

// A small message that stands for a huge one costs no more than the limit.
func TestDeflateBomb(t *testing.T) {
	for name, read := range map[string]func(*wscore.Conn) error{
		"message": func(c *wscore.Conn) error { _, _, err := c.Read(t.Context()); return err },
		"stream": func(c *wscore.Conn) error {
			_, r, err := c.NextReader(t.Context())
			if err == nil {
				_, err = io.Copy(io.Discard, r)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := wscore.NewServer(wscore.Settings{Deflate: &wscore.Deflate{}, MaxMessage: 1 << 20})
			defer closeWithin(t, srv.Close)
			ended := make(chan error, 1)
			hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn, err := srv.Accept(w, r, nil)
				if err != nil {
					return
				}
				ended <- read(conn)
			}))
			defer hs.Close()
			c, _, err := wscore.Dial(await.Context(t), hs.URL, &wscore.Settings{Deflate: &wscore.Deflate{}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Send(wscore.OpBinary, bytes.Repeat([]byte("boom"), 4<<20)); err != nil {
				t.Fatal(err)
			}
			var ce *wscore.CloseError
			if err := <-ended; !errors.As(err, &ce) || ce.Code != wscore.CloseTooBig {
				t.Errorf("the server: %v", err)
			}
			if _, _, err := c.Read(await.Context(t)); !errors.As(err, &ce) || ce.Code != wscore.CloseTooBig {
				t.Errorf("the client: %v", err)
			}
		})
	}
}
