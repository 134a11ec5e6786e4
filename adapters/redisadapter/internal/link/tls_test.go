package link

import (
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/internal/redistest"
)

// tlsFront takes connections with TLS for a server, until the test ends.
type tlsFront struct {
	l  net.Listener
	wg sync.WaitGroup

	mu    sync.Mutex // guards what follows
	conns []net.Conn
}

func (f *tlsFront) accept(target string) {
	for {
		c, err := f.l.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", target)
		if err != nil {
			_ = c.Close()
			continue
		}
		f.mu.Lock()
		f.conns = append(f.conns, c, to)
		f.mu.Unlock()
		for _, ends := range [][2]net.Conn{{c, to}, {to, c}} {
			f.wg.Go(func() { _, _ = io.Copy(ends[0], ends[1]); _ = ends[0].Close() })
		}
	}
}

// end ends all connections, as Redis does: TLS says so before the connection ends.
func (f *tlsFront) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		_ = c.Close()
	}
	f.conns = nil
}

// With TLS the end of a connection was not seen behind its announcement, and what was
// published next was lost.
func TestEndOfTLS(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certified.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	f := &tlsFront{l: l}
	f.wg.Go(func() { f.accept(r.Addr()) })
	client := redis.NewClient(&redis.Options{Addr: l.Addr().String(), TLSConfig: &tls.Config{InsecureSkipVerify: true}})
	t.Cleanup(func() {
		_ = client.Close()
		_ = l.Close()
		f.end()
		f.wg.Wait()
	})
	s := newSubscriber(t, r.Client(), Config{})
	var in inbox
	subscribe(t, s, Plain, in.handle, "c")
	w := newWriter(t, client, Config{})
	publish(t, w, "c", "0")
	answered(t, w)
	w.mu.Lock()
	conn := w.lanes[""].sess.conn.Conn
	w.mu.Unlock()
	f.end()
	redistest.Until(t, "the end has come", func() bool { ended, unread := look(conn); return ended || unread })
	publish(t, w, "c", "1")
	in.await(t, 2)
	if c := w.Stats(); c.Dropped != 0 || c.WriterResets != 1 {
		t.Errorf("%+v: want nothing dropped", c)
	}
}
