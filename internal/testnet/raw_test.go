package testnet

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestTryReadAndWrite(t *testing.T) {
	bubble(t, Options{Capacity: 6}, func(p *ends) {
		buf := make([]byte, 9)
		want := func(what string, n int, again bool, err error, wantN int, wantAgain bool, wantErr error) {
			p.Helper()
			if n != wantN || again != wantAgain || !errors.Is(err, wantErr) {
				p.Fatalf("%s: %d, %v, %v, want %d, %v, %v", what, n, again, err, wantN, wantAgain, wantErr)
			}
		}
		n, again, err := p.server.TryRead(buf)
		want("nothing there", n, again, err, 0, true, nil)
		n, again, err = p.server.TryWritev([][]byte{[]byte("ab"), nil, []byte("cde"), []byte("fgh")})
		want("six of eight", n, again, err, 6, false, nil)
		n, again, err = p.server.TryWrite([]byte("g"))
		want("full", n, again, err, 0, true, nil)
		n, again, err = p.server.TryWrite(nil)
		want("nothing to write", n, again, err, 0, false, nil)
		n, again, err = p.client.TryRead(buf[:4])
		want("four of six", n, again, err, 4, false, nil)
		n, again, err = p.server.TryWrite([]byte("gh"))
		want("room again", n, again, err, 2, false, nil)
		n, again, err = p.client.TryRead(buf)
		want("the rest", n, again, err, 4, false, nil)
		if string(buf[:n]) != "efgh" {
			p.Fatalf("read %q", buf[:n])
		}
		if s := p.server.Stats(); s.Writes != 2 || s.Refused != 1 || s.BytesWritten != 8 {
			p.Fatalf("counters %+v", s)
		}
		p.server.CloseWrite()
		n, again, err = p.client.TryRead(buf)
		want("end", n, again, err, 0, false, io.EOF)
		p.client.Close()
		n, again, err = p.client.TryRead(buf)
		want("closed", n, again, err, 0, false, net.ErrClosed)
		n, again, err = p.client.TryWrite(buf)
		want("closed", n, again, err, 0, false, net.ErrClosed)
	})
}

func TestWaitRead(t *testing.T) {
	bubble(t, Options{}, func(p *ends) {
		var calls int
		var got []byte
		done := make(chan error)
		go func() {
			done <- p.server.WaitRead(func(uintptr) bool {
				calls++
				buf := make([]byte, 16)
				n, _, err := p.server.TryRead(buf)
				got = append(got, buf[:n]...)
				return err == io.EOF
			})
		}()
		synctest.Wait()
		if calls != 1 {
			p.Fatalf("called %d times at once", calls)
		}
		p.write(p.client, "one")
		synctest.Wait()
		p.write(p.client, "two")
		synctest.Wait()
		time.Sleep(time.Hour)
		if calls != 3 || string(got) != "onetwo" {
			p.Fatalf("called %d times, read %q", calls, got)
		}
		p.client.CloseWrite()
		if err := <-done; err != nil || calls != 4 {
			p.Fatalf("after the end: %v, called %d times", err, calls)
		}
	})
}

// What changes while the callback runs, after it looked, calls it again.
func TestWaitMissesNoChange(t *testing.T) {
	bubble(t, Options{}, func(p *ends) {
		calls := 0
		if err := p.server.WaitRead(func(uintptr) bool {
			calls++
			_, again, _ := p.server.TryRead(make([]byte, 9))
			if again {
				p.write(p.client, "x")
			}
			return !again
		}); err != nil || calls != 2 {
			p.Fatalf("%v, called %d times", err, calls)
		}
	})
}

// Close also ends a wait for room on a side that was shut before.
func TestCloseAfterCloseWriteEndsWaits(t *testing.T) {
	bubble(t, Options{}, func(p *ends) {
		p.server.CloseWrite()
		done := make(chan error)
		go func() { done <- p.server.WaitWrite(func(uintptr) bool { return false }) }()
		synctest.Wait()
		p.server.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			p.Fatalf("woken with %v", err)
		}
	})
}

func TestWaitWrite(t *testing.T) {
	bubble(t, Options{Capacity: 4}, func(p *ends) {
		rest := []byte("0123456789")
		done := make(chan error)
		go func() {
			done <- p.server.WaitWrite(func(uintptr) bool {
				n, _, _ := p.server.TryWrite(rest)
				rest = rest[n:]
				return len(rest) == 0
			})
		}()
		p.wantRead(p.client, "0123456789")
		if err := <-done; err != nil {
			p.Fatal(err)
		}
		if p.server.Writes() != 3 {
			p.Fatalf("%d writes of 4 bytes at most", p.server.Writes())
		}
	})
}

func TestWaitEndsWithCloseAndDeadline(t *testing.T) {
	bubble(t, Options{}, func(p *ends) {
		never := func(uintptr) bool { return false }
		p.client.SetReadDeadline(time.Now().Add(time.Second))
		if err := p.client.WaitRead(never); !errors.Is(err, os.ErrDeadlineExceeded) {
			p.Fatalf("WaitRead = %v", err)
		}
		done := make(chan error)
		go func() { done <- p.server.WaitRead(never) }()
		go func() { done <- p.server.WaitWrite(never) }()
		synctest.Wait()
		p.server.Close()
		for range 2 {
			if err := <-done; !errors.Is(err, net.ErrClosed) {
				p.Fatalf("woken with %v", err)
			}
		}
		if err := p.server.WaitRead(never); !errors.Is(err, net.ErrClosed) {
			p.Fatalf("WaitRead after Close = %v", err)
		}
	})
}

// Close on a real connection waits for the callback that holds a reference to
// the descriptor; a Close that would hang there must hang here.
func TestCloseWaitsForTheCallback(t *testing.T) {
	bubble(t, Options{}, func(p *ends) {
		leave := make(chan struct{})
		go p.server.WaitRead(func(uintptr) bool { <-leave; return true })
		synctest.Wait()
		var closed bool
		go func() {
			p.server.Close()
			closed = true
		}()
		synctest.Wait()
		if closed {
			p.Fatal("Close returned while a callback was running")
		}
		close(leave)
		synctest.Wait()
		if !closed {
			p.Fatal("Close did not return after the callback")
		}
	})
}

func TestWaitSurvivesAPanic(t *testing.T) {
	bubble(t, Options{}, func(p *ends) {
		func() {
			defer func() { recover() }()
			p.server.WaitRead(func(uintptr) bool { panic("boom") })
		}()
		p.write(p.client, "x")
		p.wantRead(p.server, "x")
	})
}
