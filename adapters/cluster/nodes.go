package cluster

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// nodes knows which nodes there are by what they say: each says something every
// HeartbeatInterval, and is lost after HeartbeatTimeout of silence or when it
// says goodbye. The official ClusterAdapterWithHeartbeat does the same.
type nodes struct {
	a      *Adapter
	said   atomic.Bool // we said something since the last tick
	ticker *time.Ticker
	quit   chan struct{} // closed by close
	ended  chan struct{} // closed when run ended

	mu   sync.Mutex // guards what follows
	seen map[string]time.Time
}

func newNodes(a *Adapter) *nodes {
	return &nodes{a: a, quit: make(chan struct{}), ended: make(chan struct{}), seen: make(map[string]time.Time)}
}

// start says hello and begins to watch. close ends it.
func (n *nodes) start() {
	n.say(InitialHeartbeat)
	n.ticker = time.NewTicker(min(n.a.opts.HeartbeatInterval, n.a.opts.HeartbeatTimeout/4))
	go n.run()
}

func (n *nodes) run() {
	defer close(n.ended)
	defer n.ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-n.quit:
			return
		case now := <-n.ticker.C:
			if n.said.Swap(false) {
				last = now
			} else if now.Sub(last) >= n.a.opts.HeartbeatInterval {
				n.say(Heartbeat)
				last = now
			}
			n.sweep(now)
		}
	}
}

// close says goodbye.
func (n *nodes) close() {
	n.say(AdapterClose)
	close(n.quit)
	<-n.ended
}

func (n *nodes) say(t Type) {
	if err := n.a.bus.Publish(&Message{Type: t, From: n.a.traits.Node}); err != nil {
		n.a.log.Warn("heartbeat not sent", slog.Any("error", err))
	}
}

// spoke notes that we say something, which is as good as a heartbeat.
func (n *nodes) spoke() {
	if !n.said.Load() {
		n.said.Store(true)
	}
}

// count returns how many other nodes there are.
func (n *nodes) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.seen)
}

// heard notes who said m. It reports whether there is more to m than that.
// Emitters are no nodes.
func (n *nodes) heard(m *Message) bool {
	if m.From == "" || m.From == Emitter {
		return true
	}
	if m.Type == AdapterClose {
		n.lose(m.From)
		return false
	}
	n.mu.Lock()
	n.seen[m.From] = time.Now()
	n.mu.Unlock()
	if m.Type == InitialHeartbeat {
		n.say(Heartbeat)
	}
	return m.Type != InitialHeartbeat && m.Type != Heartbeat
}

// sweep loses who was silent for too long.
func (n *nodes) sweep(now time.Time) {
	n.mu.Lock()
	var silent []string
	for name, at := range n.seen {
		if now.Sub(at) > n.a.opts.HeartbeatTimeout {
			silent = append(silent, name)
		}
	}
	n.mu.Unlock()
	for _, name := range silent {
		n.a.log.Warn("node lost", slog.String("node", name))
		n.lose(name)
	}
}

// lose takes a node off the list, and out of what waits for it.
func (n *nodes) lose(name string) {
	n.mu.Lock()
	delete(n.seen, name)
	left := len(n.seen)
	n.mu.Unlock()
	n.a.mu.Lock()
	waiting := make([]*gathering, 0, len(n.a.pending))
	for _, g := range n.a.pending {
		waiting = append(waiting, g)
	}
	n.a.mu.Unlock()
	for _, g := range waiting {
		g.living(left, []string{name})
	}
}
