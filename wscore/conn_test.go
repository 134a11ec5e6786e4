package wscore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/internal/testnet"
)

func TestMessages(t *testing.T) {
	scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
		p.write(text("one"), clientFrame(true, OpBinary, []byte{0}), clientFrame(false, OpText, []byte("tw")))
		p.wantGot("1 one", "2 \x00")
		p.write(clientFrame(true, OpContinuation, []byte("o")))
		p.wantGot("1 one", "2 \x00", "1 two")
		if err := p.conn.Send(OpText, []byte("answer")); err != nil {
			t.Fatal(err)
		}
		p.want(OpText, "answer", "a message is written at once")
		if err := p.conn.SendMessages(0, Message{Op: OpText, Prefix: []byte("4"), Data: []byte("51-")}, Message{Op: OpBinary, Data: []byte{1}}); err != nil {
			t.Fatal(err)
		}
		p.want(OpText, "451-", "a unit's first message, prefix and data")
		p.want(OpBinary, "\x01", "its second")
		if n := p.end.Writes(); n != 2 {
			t.Errorf("%d writes, want one a unit", n)
		}
		if b, n := p.conn.Buffered(); b != 0 || n != 0 {
			t.Errorf("%d bytes, %d messages wait", b, n)
		}
	})
}

// The pings of one read are answered together, each and in order.
func TestPings(t *testing.T) {
	scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
		ping := func(s string) []byte { return clientFrame(true, OpPing, []byte(s)) }
		p.write(ping("1"), text("a"), ping("2"), ping("3"))
		for _, s := range []string{"1", "2", "3"} {
			p.want(OpPong, s, "a ping is answered with its payload (RFC 6455 section 5.5.3)")
		}
		if n := p.end.Writes(); n > 2 {
			t.Errorf("%d writes, want at most one for what comes before the message and one for what comes after", n)
		}
		var flood []byte
		for range 10*maxPongs + 1 {
			flood = append(flood, ping("")...)
		}
		p.write(append(flood, ping("last")...))
		p.want(OpPong, "", "a flood is answered in part")
		p.want(OpPong, "last", "the latest ping among them")
		p.wantSilence("and no more than that")
		p.write(clientFrame(true, OpPong, []byte("unasked")))
		p.wantSilence("a pong that nobody asked for is no reason to speak")
		if err := p.conn.Ping([]byte("hi")); err != nil {
			t.Fatal(err)
		}
		p.want(OpPing, "hi", "a ping of ours")
		p.wantGot("1 a")
	})
}

func TestProtocolFaults(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		code CloseCode
	}{
		{"reserved bit", rawFrame(true, 4, OpText, true, nil), CloseProtocolError},
		{"unmasked frame", rawFrame(true, 0, OpText, false, []byte("x")), CloseProtocolError},
		{"invalid UTF-8", text("\xff"), CloseInvalidPayload},
		{"too big", clientFrame(true, OpBinary, make([]byte, 101)), CloseTooBig},
		{"close code that must not be sent", closeFrame(1005, ""), CloseProtocolError},
		{"close frame of one byte", clientFrame(true, OpClose, []byte{3}), CloseProtocolError},
		{"close reason that is no text", closeFrame(1000, "\xff"), CloseInvalidPayload},
	} {
		t.Run(c.name, func(t *testing.T) {
			scenario(t, Settings{MaxMessage: 100}, testnet.Options{}, func(p *peer) {
				p.write(text("before"), c.in, text("after"))
				p.wantClose(c.code, "the fault is named")
				p.wantEnd("the server half-closes")
				p.wantGot("1 before")
				_ = p.nc.Close()
				if ce := p.wantClosed(c.code, false); ce.Err == nil {
					t.Error("no cause")
				}
			})
		})
	}
}

// What the peer still sends after the fault is read and thrown away, for a
// bounded time and amount, so that no reset destroys the close frame.
func TestDiscard(t *testing.T) {
	scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
		p.write(rawFrame(true, 4, OpText, true, nil), bytes.Repeat(text("x"), 1000))
		p.wantClose(CloseProtocolError, "the fault")
		p.pass(500 * time.Millisecond)
		p.write(text("still here"))
		p.pass(2 * time.Second)
		p.wantClosed(CloseProtocolError, false)
	})
	scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
		p.write(rawFrame(true, 4, OpText, true, nil))
		for range 300 {
			if _, err := p.nc.Write(make([]byte, 1024)); err != nil {
				break
			}
			synctest.Wait()
		}
		p.wantClosed(CloseProtocolError, false)
	})
}

func TestPeerCloses(t *testing.T) {
	for _, c := range []struct {
		name       string
		in         []byte
		echo, told CloseCode
	}{
		{"with a code", closeFrame(1000, "bye"), 1000, 1000},
		{"with a code of its own", closeFrame(4321, ""), 4321, 4321},
		{"with 1012", closeFrame(1012, ""), 1012, 1012},
		{"without a code", clientFrame(true, OpClose, nil), CloseNoStatus, CloseNoStatus},
	} {
		t.Run(c.name, func(t *testing.T) {
			scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
				p.write(text("last"), c.in, text("too late"))
				p.wantClose(c.echo, "the code is echoed (RFC 6455 section 5.5.1)")
				p.wantEnd("the server ends the stream")
				p.wantGot("1 last")
				_ = p.nc.Close()
				ce := p.wantClosed(c.told, true)
				if !errors.Is(ce, net.ErrClosed) {
					t.Error("not net.ErrClosed")
				}
				if err := p.conn.Send(OpText, nil); !errors.Is(err, net.ErrClosed) {
					t.Errorf("a send afterwards: %v", err)
				}
			})
		})
	}
}

func TestWeClose(t *testing.T) {
	scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
		if err := p.conn.SendMessages(Later, Message{Op: OpText, Data: []byte("last words")}); err != nil {
			t.Fatal(err)
		}
		if err := p.conn.Close(CloseGoingAway, "restart"); err != nil {
			t.Fatal(err)
		}
		if err := p.conn.Send(OpText, []byte("too late")); err == nil {
			t.Error("a send after Close is taken")
		}
		p.want(OpText, "last words", "what was queued is sent first")
		p.wantClose(CloseGoingAway, "then the close frame")
		p.write(text("crossing"), closeFrame(CloseGoingAway, ""))
		p.wantEnd("both have closed")
		_ = p.nc.Close()
		p.wantGot("1 crossing")
		p.wantClosed(CloseGoingAway, false)
	})
	t.Run("and the peer says nothing", func(t *testing.T) {
		scenario(t, Settings{CloseTimeout: 3 * time.Second}, testnet.Options{}, func(p *peer) {
			if err := p.conn.Close(CloseNoStatus, ""); err != nil {
				t.Fatal(err)
			}
			p.wantClose(CloseNoStatus, "an empty close frame")
			p.pass(2900 * time.Millisecond)
			p.wantOpen("given up too early")
			p.pass(time.Second)
			p.wantClosed(CloseNoStatus, false)
		})
	})
	t.Run("with a code that must not travel", func(t *testing.T) {
		scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
			for _, code := range []CloseCode{0, 999, 1004, CloseAbnormal, CloseTLSHandshake, 1016, 2999, 5000} {
				if err := p.conn.Close(code, ""); err == nil {
					t.Errorf("%d is taken", code)
				}
			}
			if err := p.conn.Close(CloseNormal, strings.Repeat("x", 124)); err == nil {
				t.Error("a reason of 124 bytes is taken")
			}
			if err := p.conn.Close(CloseNormal, "caf\xe9"); err == nil {
				t.Error("a reason that is no UTF-8 is taken")
			}
			p.wantOpen("a Close that was refused")
		})
	})
}

func TestLost(t *testing.T) {
	scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
		p.write(text("a"), clientFrame(false, OpText, nil))
		_ = p.nc.Close()
		p.wantGot("1 a")
		if ce := p.wantClosed(CloseAbnormal, true); !errors.Is(ce, io.ErrUnexpectedEOF) {
			t.Errorf("cause %v", ce.Err)
		}
	})
	scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
		_ = p.nc.Abort()
		p.wantClosed(CloseAbnormal, true)
	})
	scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
		_ = p.conn.CloseNow()
		p.wantClosed(CloseAbnormal, false)
		p.wantEnd("no close frame")
	})
}

// A message that does not go on is given up, one that does is not.
func TestProgress(t *testing.T) {
	scenario(t, Settings{ProgressTimeout: 10 * time.Second}, testnet.Options{}, func(p *peer) {
		for range 5 {
			p.write(clientFrame(false, OpText, []byte("x"))[:6])
			p.pass(9 * time.Second)
			p.write(text("whole")[6:6], []byte{'x' ^ 0x37})
			p.write(clientFrame(true, OpContinuation, nil))
		}
		p.pass(time.Minute)
		p.wantOpen("each part came in time")
		if n := len(p.rec.got()); n != 5 {
			t.Fatalf("%d messages", n)
		}
		p.write(text("half")[:4])
		p.pass(11 * time.Second)
		p.wantClose(ClosePolicy, "nothing more came")
	})
}

// A panic closes the connection it happens on; another one does not notice.
func TestPanic(t *testing.T) {
	scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
		a, b := testnet.Pipe(testnet.Options{})
		other := &recorder{}
		oc := p.srv.NewConn(b)
		oc.Serve(other)
		p.rec.onMessage = func(Opcode, []byte) { panic("on purpose") }
		p.write(text("x"))
		p.wantClose(CloseInternal, "the protocol panicked")
		_ = p.nc.Close()
		p.wantClosed(CloseInternal, false)
		if _, err := a.Write(text("fine")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if closes, why := other.closed(); len(other.got()) != 1 || closes != 0 {
			t.Errorf("the other connection: %q, %v", other.got(), why)
		}
		_ = a.Close()
	})
}

// A protocol that blocks stops the reading, not the closing.
func TestBlockedProtocol(t *testing.T) {
	scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
		release := make(chan struct{})
		defer close(release)
		p.rec.onMessage = func(Opcode, []byte) { <-release }
		p.write(text("blocks"))
		p.write(text("waits"))
		p.wantGot("1 blocks")
		if err := p.conn.Send(OpText, []byte("out")); err != nil {
			t.Fatal(err)
		}
		p.want(OpText, "out", "writing goes on")
		_ = p.conn.CloseNow()
		p.wantLost("the stream is closed at once")
		p.wantOpen("OnClose waits for OnMessage")
	})
}

// Read and NextReader do what Serve does, on the caller's goroutine.
func TestRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t, Settings{}, testnet.Options{})
		ctx := t.Context()
		if _, err := p.nc.Write(bytes.Join([][]byte{text("a"), clientFrame(true, OpPing, []byte("p")), text("b"), clientFrame(true, OpBinary, []byte("c"))}, nil)); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"a", "b"} {
			if op, data, err := p.conn.Read(ctx); err != nil || op != OpText || string(data) != want {
				t.Fatalf("%d %q %v, want %q", op, data, err, want)
			}
		}
		op, r, err := p.conn.NextReader(ctx)
		if err != nil || op != OpBinary {
			t.Fatal(op, err)
		}
		if b, _ := io.ReadAll(r); string(b) != "c" {
			t.Errorf("read %q", b)
		}
		timed, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if _, _, err := p.conn.Read(timed); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		p.want(OpPong, "p", "pings are answered by who reads")
		if _, _, err := p.conn.Read(ctx); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
		defer func() {
			if recover() == nil {
				t.Error("Serve after Read does not panic")
			}
			if err := p.srv.Close(ctx); err != nil || p.srv.Conns() != 0 {
				t.Error(err)
			}
		}()
		p.conn.Serve(p.rec)
	})
}

func TestReadAfterServe(t *testing.T) {
	scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
		defer func() {
			if recover() == nil {
				t.Error("Read after Serve does not panic")
			}
		}()
		_, _, _ = p.conn.Read(p.t.Context())
	})
}

func TestServerClose(t *testing.T) {
	scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
		if err := p.srv.Close(p.t.Context()); err != nil {
			t.Fatal(err)
		}
		p.wantClosed(CloseAbnormal, false)
		late := p.srv.NewConn(p.end)
		if err := late.Send(OpText, nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a connection of a closed server: %v", err)
		}
		rec := &recorder{}
		late.Serve(rec)
		synctest.Wait()
		if n, _ := rec.closed(); n != 1 {
			t.Errorf("OnClose was called %d times", n)
		}
	})
}
