package wscore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"

	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/wscore"
)

// ends are both sides of a connection in memory, whose handshake is done.
type ends struct {
	t              *testing.T
	client, server *wscore.Conn
	d              *wscore.Dialer
	s              *wscore.Server
}

func connected(t *testing.T, s wscore.Settings, o testnet.Options, f func(e *ends)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a, b := testnet.Pipe(o)
		e := &ends{t: t, d: wscore.NewDialer(s), s: wscore.NewServer(s)}
		e.client, e.server = e.d.NewConn(a), e.s.NewConn(b)
		f(e)
		closeWithin(t, e.d.Close)
		closeWithin(t, e.s.Close)
	})
}

// serveEcho makes the server send back what comes.
func (e *ends) serveEcho() { e.server.Serve(echo{e.server}) }

func (e *ends) want(c *wscore.Conn, op wscore.Opcode, s string) {
	e.t.Helper()
	gotOp, got, err := c.Read(e.t.Context())
	if err != nil || gotOp != op || string(got) != s {
		e.t.Fatalf("got %d %.40q, %v; want %d %.40q", gotOp, got, err, op, s)
	}
}

func TestStreamedMessage(t *testing.T) {
	big := make([]byte, 5<<20)
	for i := range big {
		big[i] = byte(rand.Uint32())
	}
	// The queue and the socket's buffer are far smaller than the message: it flows.
	s := wscore.Settings{MaxMessage: -1, Queue: wscore.Queue{Bytes: 100 << 10}}
	connected(t, s, testnet.Options{Capacity: 32 << 10}, func(e *ends) {
		done := make(chan error, 1)
		go func() {
			w, err := e.client.NextWriter(e.t.Context(), wscore.OpBinary)
			if err == nil {
				_, err = io.Copy(w, bytes.NewReader(big))
			}
			if err == nil {
				err = w.Close()
			}
			done <- err
		}()
		op, r, err := e.server.NextReader(e.t.Context())
		if err != nil || op != wscore.OpBinary {
			t.Fatal(op, err)
		}
		h := sha256.New()
		if n, err := io.Copy(h, r); err != nil || n != int64(len(big)) {
			t.Fatal(n, err)
		}
		if want := sha256.Sum256(big); !bytes.Equal(h.Sum(nil), want[:]) {
			t.Error("other bytes arrived")
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// What is sent while a message is streamed arrives behind it, in order; pings
// do not wait.
func TestSendsWaitBehindAStreamedMessage(t *testing.T) {
	connected(t, wscore.Settings{}, testnet.Options{}, func(e *ends) {
		e.serveEcho()
		w, err := e.client.NextWriter(e.t.Context(), wscore.OpText)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, strings.Repeat("a", 20000))
		if err := errors.Join(e.client.Send(wscore.OpText, []byte("b")), e.client.Ping([]byte("p")),
			e.client.SendPrepared(wscore.NewPrepared(wscore.Message{Op: wscore.OpBinary, Data: []byte("c")}), 0)); err != nil {
			t.Fatal(err)
		}
		began := make(chan struct{})
		go func() {
			w2, err := e.client.NextWriter(context.Background(), wscore.OpText)
			if err != nil {
				t.Error(err)
			}
			close(began)
			_, _ = io.WriteString(w2, "d")
			_ = w2.Close()
		}()
		synctest.Wait()
		select {
		case <-began:
			t.Error("two messages are streamed at once")
		default:
		}
		_, _ = io.WriteString(w, "z")
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("more")); err == nil {
			t.Error("Write after Close")
		}
		e.want(e.client, wscore.OpText, strings.Repeat("a", 20000)+"z")
		e.want(e.client, wscore.OpText, "b")
		e.want(e.client, wscore.OpBinary, "c")
		e.want(e.client, wscore.OpText, "d")
	})
}

func TestNextWriterErrors(t *testing.T) {
	connected(t, wscore.Settings{}, testnet.Options{}, func(e *ends) {
		if _, err := e.client.NextWriter(e.t.Context(), wscore.OpPing); err == nil {
			t.Error("a ping is streamed")
		}
		w, err := e.client.NextWriter(e.t.Context(), wscore.OpText)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(e.t.Context(), time.Second)
		defer cancel()
		if _, err := e.client.NextWriter(ctx, wscore.OpText); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a second writer: %v", err)
		}
		_ = e.client.CloseNow()
		if _, err := w.Write(make([]byte, 100000)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write: %v", err)
		}
		if err := w.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Close: %v", err)
		}
		if _, err := e.client.NextWriter(e.t.Context(), wscore.OpText); !errors.Is(err, net.ErrClosed) {
			t.Errorf("NextWriter: %v", err)
		}
	})
}

// A writer that waits for room ends with its context, and with the connection.
func TestStreamedWriterIsStalled(t *testing.T) {
	s := wscore.Settings{Queue: wscore.Queue{Bytes: 64 << 10}}
	connected(t, s, testnet.Options{Capacity: 4 << 10}, func(e *ends) {
		ctx, cancel := context.WithTimeout(e.t.Context(), time.Minute)
		defer cancel()
		w, err := e.client.NextWriter(ctx, wscore.OpBinary)
		if err != nil {
			t.Fatal(err)
		}
		n, err := w.Write(make([]byte, 1<<20))
		if !errors.Is(err, context.DeadlineExceeded) || n > 200<<10 {
			t.Errorf("%d bytes, %v", n, err)
		}
		if b, _ := e.client.Buffered(); b > 64<<10 {
			t.Errorf("%d bytes are buffered", b)
		}
	})
}

func TestNextReaderThrowsTheRestAway(t *testing.T) {
	connected(t, wscore.Settings{}, testnet.Options{}, func(e *ends) {
		for _, s := range []string{strings.Repeat("a", 100000), "b", "c", "", "d"} {
			if err := e.client.Send(wscore.OpText, []byte(s)); err != nil {
				t.Fatal(err)
			}
		}
		_, r1, err := e.server.NextReader(e.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n, err := r1.Read(make([]byte, 10)); n != 10 || err != nil {
			t.Fatal(n, err)
		}
		_, r2, err := e.server.NextReader(e.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n, err := r1.Read(make([]byte, 10)); n != 0 || err != io.EOF {
			t.Errorf("a reader that is over: %d, %v", n, err)
		}
		if b, err := io.ReadAll(r2); string(b) != "b" || err != nil {
			t.Errorf("got %q, %v", b, err)
		}
		e.want(e.server, wscore.OpText, "c")
		if _, r, err := e.server.NextReader(e.t.Context()); err != nil {
			t.Error(err)
		} else if b, err := io.ReadAll(r); len(b) != 0 || err != nil {
			t.Errorf("an empty message: %q, %v", b, err)
		}
		e.want(e.server, wscore.OpText, "d")
	})
}

// A context that ended within a message was the error of all later calls too,
// whose contexts had not: an end of the connection that looked like none.
func TestReadAfterACutMessage(t *testing.T) {
	for _, d := range []*wscore.Deflate{nil, {Threshold: -1}} {
		connected(t, wscore.Settings{Deflate: d}, testnet.Options{}, func(e *ends) {
			if d != nil {
				wscore.Agree(e.server, e.client)
			}
			w, _ := e.client.NextWriter(e.t.Context(), wscore.OpBinary)
			data := make([]byte, 40<<10)
			for i := range data {
				data[i] = byte(rand.Uint32()) // it does not become shorter
			}
			_, _ = w.Write(data)
			ctx, cancel := context.WithTimeout(e.t.Context(), time.Second)
			defer cancel()
			_, r, err := e.server.NextReader(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := io.Copy(io.Discard, r); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("the reader: %v", err)
				}
			}
			if _, _, err := e.server.Read(e.t.Context()); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Read: %v", err)
			}
			if _, _, err := e.server.NextReader(e.t.Context()); !errors.Is(err, net.ErrClosed) {
				t.Errorf("NextReader: %v", err)
			}
		})
	}
}

func TestStreamedTextIsChecked(t *testing.T) {
	connected(t, wscore.Settings{MaxMessage: 100}, testnet.Options{}, func(e *ends) {
		w, _ := e.client.NextWriter(e.t.Context(), wscore.OpText)
		_, _ = io.WriteString(w, "ab\xe2\x82")
		_ = w.Close()
		_, r, err := e.server.NextReader(e.t.Context())
		if err == nil {
			_, err = io.ReadAll(r)
		}
		var ce *wscore.CloseError
		if !errors.As(err, &ce) || ce.Code != wscore.CloseInvalidPayload {
			t.Errorf("text that ends in a character: %v", err)
		}
	})
	connected(t, wscore.Settings{MaxMessage: 100}, testnet.Options{}, func(e *ends) {
		_ = e.client.Send(wscore.OpText, make([]byte, 101))
		var ce *wscore.CloseError
		if _, _, err := e.server.NextReader(e.t.Context()); !errors.As(err, &ce) || ce.Code != wscore.CloseTooBig {
			t.Errorf("a message beyond MaxMessage: %v", err)
		}
	})
}

// One who reads slowly is not a peer who sends slowly.
func TestSlowStreamReaderIsNoLatePeer(t *testing.T) {
	connected(t, wscore.Settings{ProgressTimeout: time.Second}, testnet.Options{}, func(e *ends) {
		w, _ := e.client.NextWriter(e.t.Context(), wscore.OpBinary)
		_, _ = w.Write(make([]byte, 40<<10))
		_, r, err := e.server.NextReader(e.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if _, err := io.ReadAll(r); !errors.Is(err, net.ErrClosed) { // now it is the peer who does not go on
			t.Errorf("got %v", err)
		}
	})
}

func TestNetConnBehavesAsOne(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, nil, err
		}
		defer func() { _ = l.Close() }()
		a, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			return nil, nil, nil, err
		}
		b, err := l.Accept()
		d, s := wscore.NewDialer(wscore.Settings{MaxMessage: -1}), wscore.NewServer(wscore.Settings{MaxMessage: -1})
		c1, c2 = d.NewConn(a).NetConn(wscore.OpBinary), s.NewConn(b).NetConn(wscore.OpBinary)
		return c1, c2, func() {
			closeWithin(t, d.Close)
			closeWithin(t, s.Close)
		}, err
	})
}

func TestNetConn(t *testing.T) {
	connected(t, wscore.Settings{}, testnet.Options{}, func(e *ends) {
		a, b := e.client.NetConn(wscore.OpBinary), e.server.NetConn(wscore.OpBinary)
		if a.LocalAddr() == nil || a.RemoteAddr().String() != b.LocalAddr().String() {
			t.Errorf("addresses: %v %v %v", a.LocalAddr(), a.RemoteAddr(), b.LocalAddr())
		}
		for _, s := range []string{"he", "", "llo"} {
			if n, err := io.WriteString(a, s); n != len(s) || err != nil {
				t.Fatal(n, err)
			}
		}
		got := make([]byte, 5)
		if _, err := io.ReadFull(b, got); err != nil || string(got) != "hello" {
			t.Fatalf("%q, %v", got, err)
		}
		_ = b.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := b.Read(got); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("past the deadline: %v", err)
		}
		_ = b.SetReadDeadline(time.Time{})
		_, _ = io.WriteString(a, "again")
		if _, err := io.ReadFull(b, got); err != nil || string(got) != "again" {
			t.Fatalf("after a missed deadline: %q, %v", got, err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		if _, err := b.Read(got); err != io.EOF {
			t.Errorf("after the peer's Close: %v", err)
		}
		if _, err := a.Write(got); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write after Close: %v", err)
		}
	})
	connected(t, wscore.Settings{}, testnet.Options{}, func(e *ends) {
		b := e.server.NetConn(wscore.OpBinary)
		_ = e.client.Send(wscore.OpText, []byte("text"))
		if _, err := b.Read(make([]byte, 5)); err == nil || err == io.EOF {
			t.Errorf("a message of the other kind: %v", err)
		}
		var ce *wscore.CloseError
		if _, _, err := e.client.Read(e.t.Context()); !errors.As(err, &ce) || ce.Code != wscore.CloseUnsupported {
			t.Errorf("the peer is told %v", err)
		}
	})
}

// Both directions at once, with more than fits into any buffer.
func TestNetConnFullDuplex(t *testing.T) {
	s := wscore.Settings{Queue: wscore.Queue{Bytes: 64 << 10}}
	connected(t, s, testnet.Options{Capacity: 8 << 10}, func(e *ends) {
		var wg sync.WaitGroup
		a, b := e.client.NetConn(wscore.OpBinary), e.server.NetConn(wscore.OpBinary)
		for _, p := range [][2]net.Conn{{a, b}, {b, a}} {
			wg.Go(func() {
				for range 200 {
					if _, err := p[0].Write(make([]byte, 10<<10)); err != nil {
						t.Error(err)
						return
					}
				}
			})
			wg.Go(func() {
				if n, err := io.CopyN(io.Discard, p[1], 200*10<<10); err != nil {
					t.Error(n, err)
				}
			})
		}
		wg.Wait()
	})
}
