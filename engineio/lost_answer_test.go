package engineio

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/internal/testnet"
)

// brittle accepts connections whose writes fail once broken is set, while their
// reads still wait: the peer's RST has come, and who reads has not run yet.
type brittle struct {
	*testnet.Listener
	broken atomic.Bool
}

func (l *brittle) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &brittleConn{c, l}, nil
}

type brittleConn struct {
	net.Conn
	l *brittle
}

func (c *brittleConn) Write(p []byte) (int, error) {
	if c.l.broken.Load() {
		return 0, &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
	}
	return c.Conn.Write(p)
}

var lossDialects = map[string]string{
	"EIO4":       pollingQuery,
	"EIO3":       "EIO=3&transport=polling&b64=1",
	"EIO3 bytes": "EIO=3&transport=polling",
	"JSONP":      pollingQuery + "&j=0",
}

// An answer that fitted into the buffers of net/http was taken for sent, and a
// session whose client had not got it went on without those messages.
func TestAnswerThatCannotBeWritten(t *testing.T) {
	for name, query := range lossDialects {
		t.Run(name, func(t *testing.T) {
			scenario(t, Config{AllowEIO3: true}, func(w *world) {
				l := &brittle{Listener: testnet.Listen(testnet.Options{})}
				hs := &http.Server{Handler: w.srv}
				served := make(chan error, 1)
				go func() { served <- hs.Serve(l) }() // ends with hs
				defer func() {                        // also when something has failed
					_ = hs.Close()
					<-served
				}()
				p := w.pollerWith(query)
				nc, err := l.Dial()
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(nc, "GET /engine.io/?"+p.query()+" HTTP/1.1\r\nHost: here.example\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				w.want("the GET waits", "open")
				l.broken.Store(true)
				if err := w.h.session(0).Send(0, Message{Data: []byte("small")}); err != nil {
					t.Fatal(err)
				}
				w.want("the answer is lost", "close: transport error")
				p.gone("so the client has to begin anew")
				_ = nc.Close()
			})
		})
	}
}

// An answer is cut while the client reads it.
func TestAnswerCutInTheMiddle(t *testing.T) {
	for name, query := range lossDialects {
		t.Run(name, func(t *testing.T) {
			scenario(t, Config{AllowEIO3: true}, func(w *world) {
				p := w.pollerWith(query)
				s := w.h.session(0)
				if err := s.Send(0, Message{Data: bytes.Repeat([]byte("x"), 1<<20)}); err != nil {
					t.Fatal(err)
				}
				nc := p.stall()
				if _, err := io.ReadFull(nc, make([]byte, 100<<10)); err != nil {
					t.Fatal(err)
				}
				w.want("the rest is under way", "open")
				_ = nc.Abort()
				synctest.Wait()
				w.want("the answer is lost", "close: transport error")
				p.gone("so the client has to begin anew")
			})
		})
	}
}

// A client that has read its answer may close the connection at once: nothing is
// lost, and the session goes on.
func TestConnectionThatEndsBehindTheAnswer(t *testing.T) {
	for name, query := range lossDialects {
		t.Run(name, func(t *testing.T) {
			scenario(t, Config{AllowEIO3: true}, func(w *world) {
				p := w.pollerWith(query)
				s := w.h.session(0)
				for range 3 {
					if err := s.Send(0, Message{Data: []byte("small")}); err != nil {
						t.Fatal(err)
					}
					nc := p.stall()
					w.answer(nc)
					_ = nc.Abort()
				}
				w.want("it goes on", "open")
			})
		})
	}
}
