package cluster

import (
	"context"
	"sync"
	"time"

	"github.com/hermod-io/hermod/adapters"
)

// gathering is a request that waits for the answers of other nodes. It belongs
// to the goroutine in wait; answers come from the bus and from this node's
// connections.
//
// Nodes are counted, and told apart when the bus knows who answers. A request
// for acks has two counts: how many sockets each node asked, and how many of
// those have answered.
type gathering struct {
	acks     bool // each node first tells how many sockets it asked
	single   bool // they are one socket: its answer is all there is
	take     func(m *Message)
	complete chan struct{}  // closed when nothing is missing
	running  sync.WaitGroup // calls of take under way

	mu      sync.Mutex // guards what follows
	ended   bool       // later answers are dropped
	done    bool       // the single answer came
	asked   int        // nodes that were asked; -1 until it is known
	awaited int        // of those, how many can still be heard or were
	heard   int        // nodes that answered, or told how many sockets they asked
	from    map[string]*source
}

// source is a node that answered: "" when the bus cannot tell, "self" are our
// own sockets.
type source struct {
	reported        bool
	asked, answered int // sockets
	gone            bool
}

// self is the source of this node's own acks. No node has that name.
const self = "\x00"

func newGathering(acks bool, take func(*Message)) *gathering {
	return &gathering{acks: acks, take: take, complete: make(chan struct{}), asked: -1, from: make(map[string]*source)}
}

func (g *gathering) source(name string) *source {
	s := g.from[name]
	if s == nil {
		s = new(source)
		g.from[name] = s
	}
	return s
}

// expect says how many other nodes were asked.
func (g *gathering) expect(nodes int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked, g.awaited = nodes, nodes
	g.check()
}

// own says how many of this node's sockets were asked.
func (g *gathering) own(asked int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.source(self).asked = asked
	g.check()
}

// count takes how many sockets a node asked.
func (g *gathering) count(m *Message) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.source(m.From)
	if !g.acks || g.ended || !g.report(m.From, s) {
		return
	}
	s.asked += max(m.ClientCount, 0)
	g.check()
}

// report counts the node of s as heard; it reports whether it had not been.
func (g *gathering) report(name string, s *source) bool {
	if s.reported && name != "" {
		return false
	}
	s.reported = true
	g.heard++
	return true
}

// answer takes the answer of a node, or with acks that of a socket. No lock is
// held in take, so that several may run at once.
func (g *gathering) answer(from string, m *Message) {
	g.mu.Lock()
	if g.ended || !g.acks && g.from[from] != nil && from != "" {
		g.mu.Unlock()
		return
	}
	s := g.source(from)
	g.running.Add(1)
	g.mu.Unlock()
	defer g.running.Done()
	g.take(m)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.single:
		g.done = true
	case g.acks:
		s.answered++
	default:
		g.report(from, s)
	}
	g.check()
}

// check ends the wait when nothing can come any more. The caller holds mu.
func (g *gathering) check() {
	if g.ended || !g.done && g.waits() {
		return
	}
	g.ended = true
	close(g.complete)
}

// waits reports whether anything can come. The caller holds mu.
func (g *gathering) waits() bool {
	if g.asked < 0 || g.heard < g.awaited {
		return true
	}
	for _, s := range g.from {
		if s.answered < s.asked && !s.gone {
			return true
		}
	}
	return false
}

// known returns the names of the nodes that answered.
func (g *gathering) known() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var names []string
	for name := range g.from {
		if name != "" && name != self {
			names = append(names, name)
		}
	}
	return names
}

// living takes how many other nodes there are now, and which of the known ones
// are gone: those are not awaited any more.
func (g *gathering) living(others int, gone []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.asked < 0 || g.ended {
		return
	}
	heardOfGone := 0
	for _, name := range gone {
		if s := g.from[name]; s != nil {
			s.gone = true
		}
	}
	for _, s := range g.from {
		if s.gone && s.reported {
			heardOfGone++
		}
	}
	if most := others + heardOfGone; most < g.awaited {
		g.awaited = max(most, 0)
	}
	g.check()
}

// missing returns what did not come. The caller holds mu.
func (g *gathering) missing() (answers, nodes int) {
	if g.done {
		return 0, 0
	}
	nodes = max(g.asked-g.heard, 0)
	answers = nodes
	for _, s := range g.from {
		if n := s.asked - s.answered; n > 0 {
			answers += n
			if s.gone {
				nodes++
			}
		}
	}
	return answers, nodes
}

// end ends the wait because of cause; nil means that it is complete. An answer
// that take is just given still counts.
func (g *gathering) end(cause error) error {
	g.mu.Lock()
	g.ended = true
	g.mu.Unlock()
	g.running.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	answers, nodes := g.missing()
	if answers == 0 {
		return nil
	}
	if cause == nil {
		cause = adapters.ErrNodeLost
	}
	return &adapters.PartialError{Missing: answers, Nodes: nodes, Cause: cause}
}

// wait returns when everything came, or with a *PartialError.
func (a *Adapter) wait(ctx context.Context, g *gathering) error {
	look := time.NewTicker(a.opts.LivenessInterval)
	defer look.Stop()
	for {
		select {
		case <-g.complete:
			return g.end(nil)
		case <-ctx.Done():
			return g.end(context.Cause(ctx))
		case <-a.closed:
			return g.end(adapters.ErrClosed)
		case <-look.C:
			a.look(ctx, g)
		}
	}
}

// look asks which nodes are still there. An error changes nothing: then the
// timeout ends the wait.
func (a *Adapter) look(ctx context.Context, g *gathering) {
	if a.nodes != nil {
		return // it tells by itself
	}
	ctx, cancel := context.WithTimeout(ctx, a.opts.LivenessInterval)
	defer cancel()
	if n, gone, err := a.bus.Living(ctx, g.known()); err == nil {
		g.living(n-1, gone)
	}
}
