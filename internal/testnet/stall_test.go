package testnet

import (
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// What was there before a stall can be read; the rest comes after it, in order.
func TestStall(t *testing.T) {
	for _, latency := range []time.Duration{0, time.Second} {
		bubble(t, Options{Latency: latency, Capacity: 8}, func(p *ends) {
			p.write(p.client, "old")
			time.Sleep(latency)
			synctest.Wait() // it has arrived
			p.client.Stall()
			p.wantRead(p.server, "old")
			p.write(p.client, "one")
			time.Sleep(latency)
			p.write(p.client, "two")
			time.Sleep(latency / 2)
			full := make(chan struct{})
			go func() {
				defer close(full)
				p.write(p.client, "three")
			}()
			synctest.Wait()
			if _, again, _ := p.server.TryRead(make([]byte, 9)); !again || p.server.Unread() != 8 {
				p.Fatalf("%d bytes are under way", p.server.Unread())
			}
			start := time.Now()
			p.server.Resume()
			p.wantRead(p.server, "one")
			if time.Since(start) != 0 {
				p.Errorf("bytes that were due arrive %v late", time.Since(start))
			}
			p.wantRead(p.server, "two")
			if time.Since(start) != latency/2 {
				p.Errorf("bytes that were under way arrive after %v", time.Since(start))
			}
			p.wantRead(p.server, "three")
			<-full
		})
	}
}

func TestStallHoldsTheEnd(t *testing.T) {
	bubble(t, Options{}, func(p *ends) {
		p.client.Stall()
		p.write(p.client, "last")
		p.client.CloseWrite()
		if _, again, err := p.server.TryRead(make([]byte, 9)); !again || err != nil {
			p.Fatalf("TryRead: %v, %v", again, err)
		}
		p.client.Resume()
		p.wantRead(p.server, "last")
		p.wantReadErr(p.server, io.EOF)
	})
}

func TestStallHoldsAReset(t *testing.T) {
	bubble(t, Options{}, func(p *ends) {
		p.server.Stall()
		p.client.Abort()
		p.wantReadErr(p.client, net.ErrClosed)
		p.write(p.server, "into the void")
		p.server.Resume()
		p.wantReadErr(p.server, syscall.ECONNRESET)
		p.client.Resume() // changes nothing
		p.wantWriteErr(p.server, syscall.EPIPE)
	})
}

func TestWriteToAClosedPeerResetsAfterTheStall(t *testing.T) {
	bubble(t, Options{}, func(p *ends) {
		p.server.Close()
		p.client.Stall()
		p.write(p.client, "x")
		p.wantReadErr(p.client, io.EOF) // the end had arrived before
		p.client.Resume()
		p.wantReadErr(p.client, syscall.ECONNRESET)
	})
}
