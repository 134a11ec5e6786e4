package wscore

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/hermod-io/hermod/internal/shrink"
	"github.com/hermod-io/hermod/internal/wheel"
)

// group is what the connections of one Server or Dialer share.
type group struct {
	settings Settings
	wheel    *wheel.Wheel
	pools    pools
	parking  parking
	lot      lot
	lookout  lookout

	mu       sync.Mutex // guards what follows
	conns    shrink.Map[*Conn, struct{}]
	dirty    []*Conn // with bytes to be written; the first of them is dirty[taken]
	taken    int
	flushers int
	running  int // goroutines of ours
	idle     chan struct{}
	closed   bool
}

func newGroup(settings Settings) group {
	return group{settings: settings, wheel: wheel.New(100 * time.Millisecond), parking: defaultParking}
}

// newConn returns a connection of the group; early is what was read before it
// was one.
func (g *group) newConn(rwc io.ReadWriteCloser, early []byte, client bool) *Conn {
	c := &Conn{grp: g, rwc: rwc, raw: newRawIO(rwc), client: client}
	if len(early) > 0 {
		c.aside = &aside{early: early}
	}
	c.parser.masked, c.parser.limit = !client, g.settings.maxMessage()
	c.out.corked = !client // until the handshake is answered
	g.mu.Lock()
	closed := g.closed
	g.conns.Set(c, struct{}{})
	g.mu.Unlock()
	if closed {
		c.CloseNow()
	}
	return c
}

// Conns reports how many connections are open.
func (g *group) Conns() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.conns.Len()
}

// goFunc starts f on a goroutine that Close waits for. f ends with its connection.
func (g *group) goFunc(f func()) {
	g.begun()
	go func() {
		defer g.ended()
		f()
	}()
}

func (g *group) begun() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running++
}

func (g *group) ended() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running--; g.running == 0 && g.idle != nil {
		close(g.idle)
		g.idle = nil
	}
}

func (g *group) forget(c *Conn) {
	g.mu.Lock()
	g.conns.Delete(c)
	g.mu.Unlock()
}

// Close closes all connections at once and waits until nothing of theirs
// runs any more, but for what [Conn.RunNext] was given, or ctx ends, whose error it
// then returns. What is made later is closed at once.
func (g *group) Close(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	conns := slices.AppendSeq(make([]*Conn, 0, g.conns.Len()), g.conns.Keys())
	g.mu.Unlock()
	for _, c := range conns {
		c.CloseNow()
	}
	g.mu.Lock()
	if g.running == 0 {
		g.mu.Unlock()
		return nil
	}
	if g.idle == nil {
		g.idle = make(chan struct{})
	}
	idle := g.idle
	g.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
