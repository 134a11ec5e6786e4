package testnet

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/internal/alloctest"
)

// ends is a connection in a bubble.
type ends struct {
	*testing.T
	client, server *Conn
}

func bubble(t *testing.T, o Options, f func(p *ends)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c, s := Pipe(o)
		f(&ends{t, c, s})
		c.Close()
		s.Close()
	})
}

func (p *ends) write(c *Conn, s string) {
	p.Helper()
	if n, err := c.Write([]byte(s)); n != len(s) || err != nil {
		p.Errorf("Write(%d bytes) = %d, %v", len(s), n, err)
	}
}

func (p *ends) wantRead(c *Conn, want string) {
	p.Helper()
	buf := make([]byte, len(want))
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != want {
		p.Fatalf("read %q, %v, want %q", buf, err, want)
	}
}

func (p *ends) wantReadErr(c *Conn, want error) {
	p.Helper()
	if n, err := c.Read(make([]byte, 9)); n != 0 || !errors.Is(err, want) {
		p.Errorf("Read = %d, %v, want %v", n, err, want)
	}
}

func (p *ends) wantWriteErr(c *Conn, want error) {
	p.Helper()
	if n, err := c.Write([]byte("x")); n != 0 || !errors.Is(err, want) {
		p.Fatalf("Write = %d, %v, want %v", n, err, want)
	}
}

func TestBothDirections(t *testing.T) {
	bubble(t, Options{}, func(p *ends) {
		p.write(p.client, "ping")
		p.write(p.server, "pong")
		p.write(p.server, "pong")
		p.wantRead(p.server, "pi")
		p.wantRead(p.server, "ng")
		p.wantRead(p.client, "pongpong")
		if s := p.server.Stats(); s != (Stats{Writes: 2, BytesWritten: 8, BytesRead: 4}) {
			p.Fatalf("counters %+v", s)
		}
		if p.client.LocalAddr().String() != p.server.RemoteAddr().String() {
			p.Fatal("the ends disagree on their addresses")
		}
	})
}

func TestStalledReaderStopsTheWriter(t *testing.T) {
	bubble(t, Options{Capacity: 10}, func(p *ends) {
		var written bool
		go func() {
			p.write(p.server, "0123456789abcdef")
			written = true
		}()
		time.Sleep(time.Hour)
		synctest.Wait()
		if written || p.client.Unread() != 10 {
			p.Fatalf("16 bytes into 10: written %v, under way %d", written, p.client.Unread())
		}
		p.wantRead(p.client, "012345")
		synctest.Wait()
		if !written || p.server.Writes() != 1 {
			p.Fatalf("written %v in %d calls after the reader took 6 bytes", written, p.server.Writes())
		}
		p.wantRead(p.client, "6789abcdef")
	})
}

func TestConcurrentWritesDoNotMix(t *testing.T) {
	bubble(t, Options{Capacity: 3}, func(p *ends) {
		const n = 8
		for _, b := range []byte("abcdefgh") {
			go p.write(p.client, string(bytes.Repeat([]byte{b}, 9)))
			synctest.Wait() // each waits for room, and for those before it
		}
		var got []byte
		for buf := make([]byte, 2); len(got) < 9*n; synctest.Wait() {
			m, err := p.server.Read(buf)
			if err != nil {
				p.Fatal(err)
			}
			got = append(got, buf[:m]...)
		}
		for ; len(got) > 0; got = got[9:] {
			if bytes.Count(got[:9], got[:1]) != 9 {
				p.Fatalf("two writes mixed: %q", got)
			}
		}
	})
}

func TestHalfClose(t *testing.T) {
	bubble(t, Options{}, func(p *ends) {
		p.write(p.server, "bye")
		if err := p.server.CloseWrite(); err != nil {
			p.Fatal(err)
		}
		p.wantWriteErr(p.server, syscall.EPIPE)
		p.wantRead(p.client, "bye")
		p.wantReadErr(p.client, io.EOF)
		p.write(p.client, "still here")
		p.wantRead(p.server, "still here")
		p.client.Close()
		p.wantReadErr(p.server, io.EOF)
	})
}

func TestCloseDeliversWhatWasWritten(t *testing.T) {
	bubble(t, Options{}, func(p *ends) {
		p.write(p.server, "last words")
		p.server.Close()
		p.wantRead(p.client, "last words")
		p.wantReadErr(p.client, io.EOF)
		p.wantReadErr(p.server, net.ErrClosed)
		p.wantWriteErr(p.server, net.ErrClosed)
		if err := p.server.Close(); !errors.Is(err, net.ErrClosed) {
			p.Fatalf("second Close = %v", err)
		}
	})
}

func TestCloseWithUnreadInputResets(t *testing.T) {
	bubble(t, Options{}, func(p *ends) {
		p.write(p.client, "nobody reads this")
		p.write(p.server, "lost")
		p.server.Close()
		p.wantReadErr(p.client, syscall.ECONNRESET)
		p.wantWriteErr(p.client, syscall.EPIPE)
	})
}

func TestWriteToAClosedPeerResets(t *testing.T) {
	bubble(t, Options{}, func(p *ends) {
		p.write(p.server, "lost")
		p.server.Close()
		p.write(p.client, "the first one is taken")
		p.wantWriteErr(p.client, syscall.EPIPE)
		p.wantReadErr(p.client, syscall.ECONNRESET)
	})
}

func TestAbort(t *testing.T) {
	bubble(t, Options{}, func(p *ends) {
		p.write(p.client, "lost")
		read := make(chan error)
		go func() {
			_, err := p.client.Read(make([]byte, 1))
			read <- err
		}()
		synctest.Wait()
		p.client.Abort()
		if err := <-read; !errors.Is(err, net.ErrClosed) {
			p.Fatalf("reader of the aborting side: %v", err)
		}
		p.wantReadErr(p.server, syscall.ECONNRESET)
		p.wantWriteErr(p.server, syscall.EPIPE)
	})
}

func TestAbortWakesThePeer(t *testing.T) {
	bubble(t, Options{Capacity: 1}, func(p *ends) {
		read, written := make(chan error), make(chan error)
		go func() {
			_, err := p.server.Read(make([]byte, 1))
			read <- err
		}()
		go func() {
			_, err := p.server.Write([]byte("more than fits"))
			written <- err
		}()
		synctest.Wait()
		p.client.Abort()
		if err := <-read; !errors.Is(err, syscall.ECONNRESET) {
			p.Fatalf("reader: %v", err)
		}
		if err := <-written; !errors.Is(err, syscall.EPIPE) {
			p.Fatalf("writer: %v", err)
		}
	})
}

func TestCloseWakesWhoWaits(t *testing.T) {
	bubble(t, Options{Capacity: 1}, func(p *ends) {
		errs := make(chan error)
		go func() {
			_, err := p.client.Read(make([]byte, 1))
			errs <- err
		}()
		go func() {
			_, err := p.client.Write([]byte("more than fits"))
			errs <- err
		}()
		synctest.Wait()
		p.client.Close()
		for range 2 {
			if err := <-errs; !errors.Is(err, net.ErrClosed) {
				p.Fatalf("woken with %v", err)
			}
		}
	})
}

func TestDeadlines(t *testing.T) {
	bubble(t, Options{Capacity: 4}, func(p *ends) {
		start := time.Now()
		p.client.SetReadDeadline(start.Add(time.Second))
		p.wantReadErr(p.client, os.ErrDeadlineExceeded)
		if time.Since(start) != time.Second {
			p.Fatalf("ended after %v", time.Since(start))
		}
		p.wantReadErr(p.client, os.ErrDeadlineExceeded)

		p.client.SetDeadline(time.Now().Add(time.Second))
		n, err := p.client.Write([]byte("123456"))
		if n != 4 || !errors.Is(err, os.ErrDeadlineExceeded) || !err.(net.Error).Timeout() {
			p.Fatalf("Write = %d, %v", n, err)
		}
		p.client.SetDeadline(time.Time{})
		p.wantRead(p.server, "1234")
		p.write(p.client, "5")
		p.wantRead(p.server, "5")
	})
}

// A deadline may be moved while somebody waits: later, then into the past.
func TestDeadlineMovedWhileWaiting(t *testing.T) {
	bubble(t, Options{}, func(p *ends) {
		p.client.SetReadDeadline(time.Now().Add(time.Minute))
		var end time.Duration
		start := time.Now()
		done := make(chan struct{})
		go func() {
			p.wantReadErr(p.client, os.ErrDeadlineExceeded)
			end = time.Since(start)
			close(done)
		}()
		time.Sleep(30 * time.Second)
		p.client.SetReadDeadline(start.Add(time.Hour))
		time.Sleep(30 * time.Minute)
		p.client.SetReadDeadline(start)
		<-done
		if end != 30*time.Minute+30*time.Second {
			p.Fatalf("ended after %v", end)
		}
	})
}

func TestLatency(t *testing.T) {
	bubble(t, Options{Latency: 50 * time.Millisecond, Capacity: 8}, func(p *ends) {
		start := time.Now()
		p.write(p.client, "one")
		time.Sleep(10 * time.Millisecond)
		p.write(p.client, "two")
		p.client.CloseWrite()
		if n, again, err := p.server.TryRead(make([]byte, 9)); n != 0 || !again || err != nil {
			p.Fatalf("read %d, %v before the bytes arrived", n, err)
		}
		if p.server.Unread() != 6 {
			p.Fatalf("%d bytes under way", p.server.Unread())
		}
		p.wantRead(p.server, "one")
		if time.Since(start) != 50*time.Millisecond {
			p.Fatalf("arrived after %v", time.Since(start))
		}
		p.wantRead(p.server, "two")
		p.wantReadErr(p.server, io.EOF)
		if time.Since(start) != 60*time.Millisecond {
			p.Fatalf("ended after %v", time.Since(start))
		}
	})
}

// A connection in use costs a test no allocation of its own.
func TestSteadyUseDoesNotAllocate(t *testing.T) {
	c, s := Pipe(Options{})
	defer c.Close()
	defer s.Close()
	buf, bufs := make([]byte, 64), [][]byte{make([]byte, 20), make([]byte, 30)}
	if n := alloctest.PerRun(1000, func() {
		c.TryWritev(bufs)
		s.Read(buf)
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
