package cluster

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hermod-io/hermod/engineio"
)

// RouterConfig configures a [Router]. The zero value but for Key has the
// defaults.
type RouterConfig struct {
	// Key is a secret of at least 16 bytes, the same on all nodes. It makes sids
	// that others cannot: it must not be the password of something else. The
	// Router keeps no reference to it.
	Key []byte
	// Heartbeat is how often a node tells the others that it lives, and probes
	// those that it has requests at; 0 means 1 s.
	Heartbeat time.Duration
	// Timeout is after how long a silence a node counts as dead; 0 means four
	// heartbeats. Requests for its sessions are then refused at once.
	Timeout time.Duration
	// MaxStreams is how many requests and connections this node relays and
	// serves for others at once; 0 means 65,536. What comes on top is answered
	// 503.
	MaxStreams int
	// MaxBuffered bounds the bytes that all of them together have received and
	// not handed on, of which each has 256 KiB at most; 0 means 64 MiB. The one
	// whose bytes exceed it is ended.
	MaxBuffered int64
	// Log takes diagnostics; nil is silent.
	Log *slog.Logger
}

func (c RouterConfig) withDefaults() RouterConfig {
	c.Heartbeat = cmp.Or(c.Heartbeat, time.Second)
	c.Timeout = cmp.Or(c.Timeout, 4*c.Heartbeat)
	c.MaxStreams = cmp.Or(c.MaxStreams, 1<<16)
	c.MaxBuffered = cmp.Or(c.MaxBuffered, 64<<20)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Key = nil // which is made use of before
	return c
}

// RouterStats counts what a Router did since it was made.
type RouterStats struct {
	// Relayed is how many requests it handed to other nodes, Served how many it
	// served for others.
	Relayed, Served uint64
	// Forged, Dead and Unknown are how many requests it refused: the sid was made
	// without the key; its node is dead, or this one and the session over; its
	// node has no such session, or had none when it was asked before.
	Forged, Dead, Unknown uint64
	// Gaps is how often messages were found to be lost, Failed how many requests
	// and connections ended because of that, of the death of a node, or of a
	// bound.
	Gaps, Failed uint64
	// Sent and Broadcasts are the messages handed to the Mail.
	Sent, Broadcasts uint64
	// Bad is how many messages nobody could make sense of.
	Bad uint64
	// Nodes is how many others live, Streams how many requests and connections
	// are open now.
	Nodes, Streams int
	// Buffered is how many bytes those have received and not handed on, now.
	Buffered int64
}

// Router is an [engineio.Router]: it hands requests to the node that owns the
// session, over a [Mail]. One Router belongs to one engineio.Server; close that
// before. All nodes are Routers of the same version with the same Key.
//
// A request on its way ends with an error when something between the nodes is
// lost, or one of them; an answer of which it is not sure that the client has it
// ends the session (transport error), so that the client comes back.
type Router struct {
	mail     Mail
	cfg      RouterConfig
	self     NodeID
	instance uint64
	sids     *sidMaker
	absent   absent
	here     atomic.Pointer[engineio.Routed]
	settled  chan struct{} // closed when all living nodes have said hello
	stop     chan struct{}
	links    atomic.Uint64
	streams  atomic.Int64
	buffered atomic.Int64
	count    struct {
		relayed, served, forged, dead, unknown, gaps, failed, sent, broadcasts, bad atomic.Uint64
	}

	mu      sync.Mutex // guards what follows
	peers   map[NodeID]*relayPeer
	left    map[NodeID]time.Time // who said goodbye, and when
	closed  bool
	running sync.WaitGroup
	serving sync.WaitGroup // those of running that serve requests
}

var (
	_            engineio.Router = (*Router)(nil)
	errAttached                  = errors.New("cluster: this Router has a server already")
	errHeartbeat                 = errors.New("cluster: RouterConfig.Timeout is less than two heartbeats")
)

// NewRouter opens m, which it closes when it is closed, and returns when what
// other nodes send arrives. ctx bounds that wait alone. Errors: of RouterConfig,
// of the Mail; then m was closed.
func NewRouter(ctx context.Context, m Mail, cfg RouterConfig) (*Router, error) {
	r := &Router{mail: m, settled: make(chan struct{}), stop: make(chan struct{}), peers: map[NodeID]*relayPeer{}, left: map[NodeID]time.Time{}}
	var err error
	r.sids, err = newSIDMaker(cfg.Key)
	r.cfg = cfg.withDefaults()
	if err == nil && (r.cfg.Heartbeat < 0 || r.cfg.Timeout < 2*r.cfg.Heartbeat) {
		err = errHeartbeat
	}
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	r.self, r.instance = NodeID(binary.BigEndian.Uint32(b[:])), binary.BigEndian.Uint64(b[4:])
	if err == nil {
		err = m.Open(ctx, r.self, r.receive)
	}
	if err != nil {
		_ = m.Close(ctx)
		return nil, err
	}
	r.hello(flagAsk)
	r.running.Go(r.beat)
	return r, nil
}

// Node is the id of this node.
func (r *Router) Node() NodeID { return r.self }

// Attach implements engineio.Router.
func (r *Router) Attach(here engineio.Routed) error {
	if !r.here.CompareAndSwap(nil, &here) {
		return errAttached
	}
	return nil
}

// NewID implements engineio.Router.
func (r *Router) NewID() (string, error) { return r.sids.make(r.self), nil }

// Stats returns the counters.
func (r *Router) Stats() RouterStats {
	c := &r.count
	r.mu.Lock()
	nodes := len(r.peers)
	r.mu.Unlock()
	return RouterStats{
		Relayed: c.relayed.Load(), Served: c.served.Load(), Forged: c.forged.Load(), Dead: c.dead.Load(), Unknown: c.unknown.Load(),
		Gaps: c.gaps.Load(), Failed: c.failed.Load(), Sent: c.sent.Load(), Broadcasts: c.broadcasts.Load(), Bad: c.bad.Load(),
		Nodes: nodes, Streams: int(r.streams.Load()), Buffered: r.buffered.Load(),
	}
}

// farewell is how long Close waits for answers that are on their way.
const farewell = time.Second

// Close takes no more requests of other nodes, and waits a second at most for
// those that it serves: they end when the server was closed before. Then it
// ends what is relayed, says goodbye to the other nodes, and waits until nothing
// of the Router runs, or ctx ends; last it closes the Mail. Requests in Route
// return on their own.
func (r *Router) Close(ctx context.Context) error {
	r.mu.Lock()
	first := !r.closed
	r.closed = true
	peers := r.others()
	r.mu.Unlock()
	if first {
		wait, cancel := context.WithTimeout(ctx, farewell)
		_ = waitFor(wait, &r.serving)
		cancel()
		close(r.stop)
		for _, p := range peers {
			p.fail(errRouterClosed, resetAborted)
		}
		r.broadcast(&relayFrame{kind: frameBye})
		for _, p := range peers {
			p.part()
		}
	}
	if err := waitFor(ctx, &r.running); err != nil {
		return err
	}
	return r.mail.Close(ctx)
}

// waitFor waits for what a group counts, or the end of ctx.
func waitFor(ctx context.Context, g *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() { // ends with what is counted
		g.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// goFunc starts f on a goroutine that Close waits for, or reports false. Close
// waits first for those that are counted in also.
func (r *Router) goFunc(f func(), also ...*sync.WaitGroup) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	for _, g := range also {
		g.Add(1)
	}
	r.running.Go(func() {
		for _, g := range also {
			defer g.Done()
		}
		f()
	})
	return true
}

// others lists the living nodes. mu is held.
func (r *Router) others() []*relayPeer {
	list := make([]*relayPeer, 0, len(r.peers))
	for _, p := range r.peers {
		list = append(list, p)
	}
	return list
}

func (r *Router) hello(flags byte) {
	r.broadcast(&relayFrame{kind: frameHello, n: r.instance, flags: flags})
}

func (r *Router) broadcast(f *relayFrame) {
	r.count.broadcasts.Add(1)
	if err := r.mail.Broadcast(f.append(relayHead{from: r.self}.append(nil))); err != nil {
		r.cfg.Log.Warn("cluster: broadcast to the other nodes", "err", err)
	}
}

// beat is the goroutine that keeps the directory, until Close.
func (r *Router) beat() {
	t := time.NewTicker(r.cfg.Heartbeat)
	defer t.Stop()
	for first := true; ; first = false {
		select {
		case <-r.stop:
			if first {
				close(r.settled)
			}
			return
		case <-t.C:
		}
		if first {
			close(r.settled)
		}
		r.hello(0)
		r.mu.Lock()
		peers := r.others()
		for id, at := range r.left {
			if time.Since(at) > 2*r.cfg.Timeout {
				delete(r.left, id)
			}
		}
		r.mu.Unlock()
		for _, p := range peers {
			p.check(r.cfg.Timeout)
		}
	}
}

// owner is the living node that made sid, or nil.
func (r *Router) owner(ctx context.Context, sid string) *relayPeer {
	node, ok := r.sids.node(sid)
	if !ok {
		r.count.forged.Add(1)
		return nil
	}
	if r.absent.has(sid) {
		r.count.unknown.Add(1)
		return nil
	}
	p := r.peer(node)
	if p == nil && node != r.self {
		select { // who has just started may not have heard of all
		case <-r.settled:
		case <-ctx.Done():
		}
		p = r.peer(node)
	}
	if p == nil {
		r.count.dead.Add(1)
	}
	return p
}

// peer finds a living node.
func (r *Router) peer(id NodeID) *relayPeer {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.peers[id]
}

// meet is peer that makes its acquaintance, unless it has said goodbye.
func (r *Router) meet(id NodeID) *relayPeer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.peers[id]; p != nil || r.closed {
		return p
	}
	if _, gone := r.left[id]; gone {
		return nil
	}
	p := &relayPeer{r: r, id: id, link: r.links.Add(1), streams: map[uint64]*relayStream{}, heard: time.Now()}
	r.peers[id] = p
	r.cfg.Log.Info("cluster: node", "node", id.String())
	return p
}

// part forgets a node; for good if it has said goodbye.
func (r *Router) part(p *relayPeer, bye bool) {
	r.mu.Lock()
	if bye {
		r.left[p.id] = time.Now()
	}
	if r.peers[p.id] == p {
		delete(r.peers, p.id)
	}
	r.mu.Unlock()
	r.cfg.Log.Info("cluster: node is gone", "node", p.id.String(), "bye", bye)
	p.part()
}

// absent remembers sids whose node has no such session: none will ever come
// back. It is bounded; what is forgotten is asked again.
type absent struct {
	mu       sync.Mutex // guards what follows
	new, old map[string]struct{}
}

const maxAbsent = 4096

func (a *absent) has(sid string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.new[sid]
	if !ok {
		_, ok = a.old[sid]
	}
	return ok
}

func (a *absent) add(sid string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.new == nil || len(a.new) >= maxAbsent {
		a.old, a.new = a.new, map[string]struct{}{}
	}
	a.new[sid] = struct{}{}
}
