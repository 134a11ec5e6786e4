package engineio

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/wscore"
)

// deflateClient is a WebSocket client that offers permessage-deflate, and
// counts the bytes that reach it.
type deflateClient struct {
	t    *testing.T
	conn *wscore.Conn
	nc   *countingConn
}

// countingConn counts what is read.
type countingConn struct {
	net.Conn
	n int
}

func (c *countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n += n
	return n, err
}

func dialDeflate(w *world, d *wscore.Deflate, query string) *deflateClient {
	w.t.Helper()
	c := &deflateClient{t: w.t}
	dial := &wscore.DialOptions{
		Proxy: func(*http.Request) (*url.URL, error) { return nil, nil },
		NetDial: func(context.Context, string, string) (net.Conn, error) {
			nc, err := w.l.Dial()
			c.nc = &countingConn{Conn: nc}
			return c.nc, err
		},
	}
	conn, _, err := wscore.Dial(w.t.Context(), "ws://here.example/engine.io/?"+query, &wscore.Settings{Deflate: d}, dial)
	if err != nil {
		w.t.Fatal(err)
	}
	c.conn = conn
	return c
}

// read returns the next message and how many bytes came with it.
func (c *deflateClient) read() (msg string, wire int) {
	c.t.Helper()
	before := c.nc.n
	_, b, err := c.conn.Read(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b), c.nc.n - before
}

var longText = strings.Repeat("all work and no play ", 100)

// compat: option perMessageDeflate
// compat: socket.compress
func TestPerMessageDeflate(t *testing.T) {
	scenario(t, Config{PerMessageDeflate: &wscore.Deflate{}}, func(w *world) {
		c := dialDeflate(w, &wscore.Deflate{}, "EIO=4&transport=websocket")
		defer func() { _ = c.conn.CloseNow() }()
		if got := c.conn.Extensions(); !strings.HasPrefix(got, "permessage-deflate") {
			t.Fatalf("agreed on %q", got)
		}
		c.read()
		s := w.h.session(0)
		text := Message{Data: []byte(longText)}
		for name, f := range map[string]func(SendFlags) error{
			"message":  func(f SendFlags) error { return s.Send(f, text) },
			"prepared": func(f SendFlags) error { return s.SendPrepared(NewPrepared(text), f) },
			"later":    func(f SendFlags) error { return s.SendPrepared(NewPrepared(text), f|Later) },
		} {
			for _, flag := range []SendFlags{0, NoCompress} {
				if err := f(flag); err != nil {
					t.Fatal(err)
				}
				msg, wire := c.read()
				if msg != "4"+longText {
					t.Fatalf("%s: got %.40q…", name, msg)
				}
				if small := wire < len(longText)/2; small != (flag == 0) {
					t.Errorf("%s with flags %d: %d bytes on the wire", name, flag, wire)
				}
			}
		}
		if err := s.Send(0, Message{Data: []byte(longText[:1000])}); err != nil {
			t.Fatal(err)
		}
		if _, wire := c.read(); wire < 1000 {
			t.Errorf("a message below the threshold took %d bytes", wire)
		}
		if err := c.conn.Send(wscore.OpText, []byte("4"+longText)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.want("a compressed message of the client", "open", "text "+longText)
	})
}

// What waits for an upgrade is compressed, or not, as it was sent.
func TestPerMessageDeflateAfterUpgrade(t *testing.T) {
	scenario(t, Config{PerMessageDeflate: &wscore.Deflate{}}, func(w *world) {
		p := w.poller()
		s := w.h.session(0)
		c := dialDeflate(w, &wscore.Deflate{}, "EIO=4&transport=websocket&sid="+p.sid)
		defer func() { _ = c.conn.CloseNow() }()
		_ = c.conn.Send(wscore.OpText, []byte("2probe"))
		if msg, _ := c.read(); msg != "3probe" {
			t.Fatal(msg)
		}
		_ = s.Send(0, Message{Data: []byte(longText)})
		_ = s.Send(NoCompress, Message{Data: []byte(longText)})
		_ = s.SendPrepared(NewPrepared(Message{Data: []byte(longText)}), NoCompress)
		_ = c.conn.Send(wscore.OpText, []byte("5"))
		synctest.Wait()
		before := c.nc.n
		for range 3 {
			if msg, _ := c.read(); msg != "4"+longText {
				t.Fatalf("got %.40q…", msg)
			}
		}
		if wire := c.nc.n - before; wire < 2*len(longText) || wire > 2*len(longText)+len(longText)/2 {
			t.Errorf("%d bytes on the wire: two of three messages of %d were to stay as they are", wire, len(longText))
		}
	})
}

// An inflated message is bounded as any other.
func TestPerMessageDeflateIsBounded(t *testing.T) {
	scenario(t, Config{PerMessageDeflate: &wscore.Deflate{}, MaxHTTPBufferSize: 10_000}, func(w *world) {
		c := dialDeflate(w, &wscore.Deflate{}, "EIO=4&transport=websocket")
		c.read()
		_ = c.conn.Send(wscore.OpText, []byte("4"+strings.Repeat("a", 10_000)))
		_, _, err := c.conn.Read(w.t.Context())
		if ce := new(wscore.CloseError); !errors.As(err, &ce) || ce.Code != wscore.CloseTooBig {
			t.Fatalf("%v", err)
		}
		w.want("a message that inflates beyond the limit", "open", "close: transport error")
	})
}

// compat: option perMessageDeflate
func TestNoDeflateUnlessConfigured(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		c := dialDeflate(w, &wscore.Deflate{}, "EIO=4&transport=websocket")
		defer func() { _ = c.conn.CloseNow() }()
		if got := c.conn.Extensions(); got != "" {
			t.Fatalf("agreed on %q", got)
		}
	})
}
