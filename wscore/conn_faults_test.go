package wscore

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/internal/testnet"
)

// What a protocol has not been told when it drops the connection, or panics,
// it is not told afterwards.
func TestNothingAfterTheEnd(t *testing.T) {
	for name, end := range map[string]func(p *peer){
		"CloseNow": func(p *peer) { _ = p.conn.CloseNow() },
		"panic":    func(*peer) { panic("on purpose") },
		"Goexit":   func(*peer) { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
				p.rec.onMessage = func(Opcode, []byte) { end(p) }
				p.write(text("1"), text("2"))
				p.wantGot("1 1")
			})
		})
	}
}

// A panic, and the end of the reader's goroutine, is a fault of ours, and OnClose is
// told so.
func TestPanicIsTheCause(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("on purpose") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			scenario(t, Settings{}, testnet.Options{}, func(p *peer) {
				p.rec.onMessage = func(Opcode, []byte) { end() }
				p.write(text("x"))
				p.wantClose(CloseInternal, "the protocol panicked")
				p.write(text("y"))
				p.pass(2 * discardTime)
				if ce := p.wantClosed(CloseInternal, false); !errors.Is(ce.Err, errPanic) {
					t.Errorf("cause %v", ce.Err)
				}
				p.wantGot("1 x")
			})
		})
	}
}

// A fault of the peer does not cut off what waits before our close frame.
func TestFaultWhileTheCloseFrameWaits(t *testing.T) {
	scenario(t, Settings{}, testnet.Options{Capacity: 1000}, func(p *peer) {
		long := string(make([]byte, 3000))
		if err := p.conn.Send(OpBinary, []byte(long)); err != nil {
			t.Fatal(err)
		}
		if err := p.conn.Close(CloseGoingAway, ""); err != nil {
			t.Fatal(err)
		}
		p.write(rawFrame(true, 4, OpText, true, nil))
		p.want(OpBinary, long, "what was sent before")
		p.wantClose(CloseGoingAway, "our close frame")
		p.wantEnd("then the half-close")
		_ = p.nc.Close()
		p.wantClosed(CloseGoingAway, false)
	})
}

// A connection that is dropped before anybody reads it is forgotten.
func TestNeverServed(t *testing.T) {
	p := dial(t, Settings{}, testnet.Options{})
	c := p.srv.NewConn(p.end)
	if n := p.srv.Conns(); n != 1 {
		t.Errorf("%d connections", n)
	}
	_ = c.CloseNow()
	if n := p.srv.Conns(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	if err := p.srv.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if late := p.srv.NewConn(p.end); late.Send(OpText, nil) == nil || p.srv.Conns() != 0 {
		t.Error("a closed server takes connections")
	}
}

// slow is a stream whose closing takes its time, as that of TLS may.
type slow struct {
	hidden
	closing chan struct{}
}

func (s slow) Close() error {
	<-s.closing
	return s.hidden.Close()
}

// Nobody waits for a stream to be closed but Server.Close.
func TestSlowClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := dial(t, Settings{}, testnet.Options{})
		s := slow{hidden{p.end}, make(chan struct{})}
		p.conn = p.srv.NewConn(s)
		p.conn.Serve(p.rec)
		_ = p.conn.CloseNow()
		if err := p.conn.Send(OpText, nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Send: %v", err)
		}
		close(s.closing)
		p.finish()
	})
}

// empty returns nothing, without an error.
type empty struct{ hidden }

func (empty) Read([]byte) (int, error) { return 0, nil }

func TestEmptyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := dial(t, Settings{}, testnet.Options{})
		p.conn = p.srv.NewConn(empty{hidden{p.end}})
		p.conn.Serve(p.rec)
		if ce := p.wantClosed(CloseAbnormal, true); !errors.Is(ce.Err, io.ErrNoProgress) {
			t.Errorf("cause %v", ce.Err)
		}
		p.finish()
	})
}

// A dirty list that is never empty does not grow.
func TestDirtyListIsBounded(t *testing.T) {
	s := NewServer(Settings{})
	s.flushers = 1 << 20 // the test is the flusher
	c := new(Conn)
	s.flushLater(c)
	for range 10000 {
		s.flushLater(c)
		if n := s.takeDirty(make([]*Conn, 1)); n != 1 {
			t.Fatalf("%d connections taken", n)
		}
	}
	if len(s.dirty)-s.taken != 1 || cap(s.dirty) > 64 {
		t.Errorf("%d wait in a list of %d", len(s.dirty)-s.taken, cap(s.dirty))
	}
}

// TLS gives a stream that can only wait.
func TestTLS(t *testing.T) {
	ws := NewServer(Settings{})
	hs := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := ws.Accept(w, r, nil); err == nil {
			c.Serve(echo{c})
		}
	}))
	defer hs.Close()
	conf := hs.Client().Transport.(*http.Transport).TLSClientConfig
	nc, err := tls.Dial("tcp", hs.Listener.Addr().String(), conf)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(nc, handshake()+string(text("early"))); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(nc)
	if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != 101 {
		t.Fatal(res, err)
	}
	long := string(make([]byte, 200_000))
	if _, err := nc.Write(append(clientFrame(true, OpBinary, []byte(long)), closeFrame(CloseNormal, "bye")...)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"early", long, "\x03\xe8"} {
		if _, b, err := readServerFrame(r); err != nil || string(b) != want {
			t.Fatalf("%d bytes, %v, want %d", len(b), err, len(want))
		}
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("after the close frame: %v", err)
	}
	_ = nc.Close()
	if err := ws.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A message that came in two reads was watched over in between. Once it is
// complete, a protocol that takes longer than ProgressTimeout over it, as under
// back-pressure, is no fault of the peer.
func TestProgressEndsWithTheMessage(t *testing.T) {
	settings := Settings{ProgressTimeout: 10 * time.Second}
	whole := text("whole")
	t.Run("Serve", func(t *testing.T) {
		scenario(t, settings, testnet.Options{}, func(p *peer) {
			release := make(chan struct{})
			p.rec.onMessage = func(Opcode, []byte) { <-release }
			p.write(whole[:4])
			p.write(whole[4:])
			p.wantGot("1 whole")
			p.pass(time.Minute)
			p.wantSilence("the protocol is slow, not the peer")
			close(release)
			p.write(text("next"))
			p.wantGot("1 whole", "1 next")
			p.wantOpen("nothing was late")
		})
	})
	t.Run("Read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newPeer(t, settings, testnet.Options{})
			go func() { // ends with the second write
				_, _ = p.nc.Write(whole[:4])
				time.Sleep(time.Second)
				_, _ = p.nc.Write(whole[4:])
			}()
			if _, data, err := p.conn.Read(t.Context()); err != nil || string(data) != "whole" {
				t.Fatalf("%q %v", data, err)
			}
			p.pass(time.Minute)
			if err := p.conn.Send(OpText, []byte("answer")); err != nil {
				t.Errorf("after a minute without a call of Read: %v", err)
			} else {
				p.want(OpText, "answer", "the connection is open")
			}
			if err := p.srv.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	})
}

// A caller that drops the connection, or closes it, need not read to the end
// for it to be forgotten.
func TestReadNoMore(t *testing.T) {
	for name, end := range map[string]func(c *Conn) error{
		"CloseNow": (*Conn).CloseNow,
		"Close":    func(c *Conn) error { return c.Close(CloseNormal, "") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t, Settings{}, testnet.Options{})
				if _, err := p.nc.Write(text("a")); err != nil {
					t.Fatal(err)
				}
				if _, _, err := p.conn.Read(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := end(p.conn); err != nil {
					t.Fatal(err)
				}
				p.pass(6 * time.Second) // CloseTimeout
				if n := p.srv.Conns(); n != 0 {
					t.Errorf("%d connections are left", n)
				}
				if _, _, err := p.conn.Read(t.Context()); !errors.Is(err, net.ErrClosed) {
					t.Errorf("a Read afterwards: %v", err)
				}
				if err := p.srv.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
