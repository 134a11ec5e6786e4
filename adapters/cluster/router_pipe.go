package cluster

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hermod-io/hermod/internal/bufpool"
)

// lastWords is how long a client may take to read what is left when the other
// node has ended the connection.
const lastWords = 5 * time.Second

// takeOver makes the client's connection a stream of bytes to the other node.
func (x *relayed) takeOver() {
	s := x.s
	nc, rw, err := x.rc.Hijack()
	if err != nil {
		s.fail(errStreamAborted, resetAborted)
		http.Error(x.w, "connection cannot be taken over", http.StatusInternalServerError)
		return
	}
	_ = nc.SetDeadline(time.Time{})
	p := &relayPipe{s: s, nc: nc}
	s.mu.Lock()
	s.onFail = func(error) { p.cut() }
	s.onChange = p.changed
	failed := s.err != nil
	if s.ended {
		s.onChange()
	}
	s.mu.Unlock()
	early := bufferedBytes(rw.Reader)
	if failed || !s.p.r.goFunc(func() { p.in(early) }) {
		s.fail(errRouterClosed, resetAborted)
		_ = nc.Close()
		return
	}
	if !s.p.r.goFunc(p.out) {
		p.leave() // in is on its way out
		s.fail(errRouterClosed, resetAborted)
	}
}

// bufferedBytes is what the HTTP server has read beyond the request.
func bufferedBytes(r *bufio.Reader) []byte {
	b, _ := r.Peek(r.Buffered())
	return append([]byte(nil), b...)
}

// relayPipe carries the bytes of a client's connection, by two goroutines: the
// last to leave closes it. Both end with the connection or the stream.
type relayPipe struct {
	s       *relayStream
	nc      net.Conn
	gone    atomic.Int32
	outDone bool // guarded by s.mu
}

// changed bounds what is left to do when the other node has ended the
// connection. s.mu is held.
func (p *relayPipe) changed() {
	if !p.s.ended {
		return
	}
	_ = p.nc.SetWriteDeadline(time.Now().Add(lastWords))
	if p.outDone {
		_ = p.nc.SetReadDeadline(longAgo)
	}
}

// cut makes both goroutines end. It does not block.
func (p *relayPipe) cut() { _ = p.nc.SetDeadline(longAgo) }

// leave is called by each goroutine, last.
func (p *relayPipe) leave() {
	if p.gone.Add(1) == 2 {
		_ = p.nc.Close()
		p.s.close(true)
	}
}

// in reads from the client. While it waits it has a small buffer only.
func (p *relayPipe) in(early []byte) {
	defer p.leave()
	if len(early) > 0 {
		if _, err := p.s.write(early, false, nil); err != nil {
			p.broke()
			return
		}
	}
	var small [512]byte
	for {
		n, err := p.nc.Read(small[:])
		if n > 0 {
			if _, werr := p.s.write(small[:n], false, nil); werr != nil {
				err = werr
			}
		}
		if err == nil && n == len(small) {
			err = p.burst()
		}
		switch {
		case errors.Is(err, io.EOF):
			_, _ = p.s.write(nil, true, nil)
			return
		case err != nil:
			p.broke()
			return
		}
	}
}

// burst goes on reading with a large buffer as long as that is filled.
func (p *relayPipe) burst() error {
	buf := bufpool.Get(relayChunk)
	defer bufpool.Put(buf)
	for {
		n, err := p.nc.Read(buf.Bytes())
		if n > 0 {
			if _, werr := p.s.write(buf.Bytes()[:n], false, nil); werr != nil {
				return werr
			}
		}
		if err != nil || n < 4<<10 {
			return err
		}
	}
}

// broke ends the stream, unless the other node has, in which case what is left
// is still written.
func (p *relayPipe) broke() {
	if !p.s.is(func() bool { return p.s.ended }) {
		p.s.fail(errStreamAborted, resetAborted)
	}
}

// out writes to the client.
func (p *relayPipe) out() {
	defer p.leave()
	for {
		p.s.await(func() bool { return len(p.s.in) > 0 || p.s.fin || p.s.over(&p.s.rd) })
		err := p.some()
		switch {
		case errors.Is(err, io.EOF):
			p.finish()
			return
		case err != nil:
			p.broke()
			p.cut()
			return
		}
	}
}

// some writes what has arrived.
func (p *relayPipe) some() error {
	buf := bufpool.Get(relayChunk)
	defer bufpool.Put(buf)
	n, _, err := p.s.tryRead(buf.Bytes())
	if n > 0 {
		_, err = p.nc.Write(buf.Bytes()[:n])
	}
	return err
}

// finish passes on the end of what the other node sends, or of the connection.
func (p *relayPipe) finish() {
	p.s.mu.Lock()
	p.outDone = true
	ended := p.s.ended
	p.changed()
	p.s.mu.Unlock()
	if ended {
		return
	}
	if hc, ok := p.nc.(interface{ CloseWrite() error }); ok && hc.CloseWrite() == nil {
		return
	}
	p.cut()
}
