package cluster

import (
	"sync"
	"time"
)

const (
	// relayMessage is about how long a message gets when frames wait for it.
	relayMessage = 128 << 10
	// relayLinger is how long a frame that nobody waits for hopes for company.
	relayLinger = 2 * time.Millisecond
)

// relayPeer is another living node. Messages to it are numbered in the order in
// which they leave; so are those that come.
type relayPeer struct {
	r    *Router
	id   NodeID
	link uint64

	mu      sync.Mutex // guards what follows
	gone    bool
	streams map[uint64]*relayStream
	opened  uint64
	heard   time.Time
	asked   time.Time // when the first ping was sent of those not answered; zero: all are
	pings   uint64
	inLink  uint64
	in      uint64 // number of the last message that came
	sent    uint64 // and of the last one that was begun
	out     [][]byte
	sending bool
	lazy    *time.Timer // ends the wait for company; nil: nobody waits
}

// open makes a stream, or returns why there is none.
func (p *relayPeer) open() (*relayStream, error) {
	if !p.r.enter() {
		return nil, errStreamOverload
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened++
	s := p.add(p.opened<<1 | 1)
	if s == nil {
		return nil, errNodeGone
	}
	return s, nil
}

// enter counts a stream, unless there are enough.
func (r *Router) enter() bool {
	if r.streams.Add(1) > int64(r.cfg.MaxStreams) {
		r.streams.Add(-1)
		return false
	}
	return true
}

// add makes a stream that was counted, or counts it off. mu is held.
func (p *relayPeer) add(id uint64) *relayStream {
	if p.gone || p.streams[id] != nil {
		p.r.streams.Add(-1)
		return nil
	}
	s := &relayStream{p: p, id: id, credit: relayWindow}
	s.cond.L = &s.mu
	p.streams[id] = s
	return s
}

// find returns the stream of what the other node calls id.
func (p *relayPeer) find(id uint64) *relayStream {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.streams[id^1]
}

func (p *relayPeer) remove(s *relayStream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.streams[s.id] == s {
		delete(p.streams, s.id)
		p.r.streams.Add(-1)
	}
}

// fail ends all streams; with a reason the other node is told, if it can be.
func (p *relayPeer) fail(err error, reason ...uint64) {
	p.mu.Lock()
	list := make([]*relayStream, 0, len(p.streams))
	for _, s := range p.streams {
		list = append(list, s)
	}
	p.asked = time.Time{}
	p.mu.Unlock()
	for _, s := range list {
		p.r.count.failed.Add(1)
		s.fail(err, reason...)
	}
}

// part ends all there is with a node that is no more.
func (p *relayPeer) part() {
	p.mu.Lock()
	p.gone, p.out = true, nil
	p.mu.Unlock()
	p.fail(errNodeGone)
}

// check parts with a node that is silent, and pings one that is needed.
func (p *relayPeer) check(timeout time.Duration) {
	p.mu.Lock()
	silent := time.Since(p.heard) > timeout
	deaf := !p.asked.IsZero() && time.Since(p.asked) > timeout
	ping := len(p.streams) > 0 && !silent && !deaf
	if ping && p.asked.IsZero() {
		p.asked = time.Now()
	}
	if ping {
		p.pings++
	}
	n := p.pings
	p.mu.Unlock()
	switch {
	case silent:
		p.r.part(p, false)
	case deaf: // it lives, but what it is told does not arrive
		p.fail(errStreamGap, resetGap)
	case ping:
		p.post(&relayFrame{kind: framePing, n: n}, true)
	}
}

// ponged notes the answer to a ping: up to then nothing was lost.
func (p *relayPeer) ponged(n uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n == p.pings {
		p.asked = time.Time{}
	}
}

// post sends a frame, with those that wait before it. One that is not urgent
// waits for company, but not for long. It does not block, and may be called with
// a stream's turn held.
func (p *relayPeer) post(f *relayFrame, urgent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return
	}
	last := len(p.out) - 1
	if last < 0 || len(p.out[last])+len(f.data) > relayMessage {
		p.sent++
		size := 64 + len(f.data)
		if f.header != nil {
			size += 1024
		}
		p.out = append(p.out, relayHead{p.r.self, p.link, p.sent}.append(make([]byte, 0, size)))
		last++
	}
	p.out[last] = f.append(p.out[last])
	if urgent {
		p.flush()
	} else if p.lazy == nil {
		p.lazy = time.AfterFunc(relayLinger, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.lazy = nil
			p.flush()
		})
	}
}

// flush hands to the Mail what waits; what others add meanwhile too. mu is held,
// and given back while the Mail is called.
func (p *relayPeer) flush() {
	if p.sending {
		return
	}
	p.sending = true
	if p.lazy != nil {
		p.lazy.Stop()
		p.lazy = nil
	}
	for len(p.out) > 0 {
		data := p.out[0]
		p.out = p.out[1:]
		p.mu.Unlock()
		p.r.count.sent.Add(1)
		err := p.r.mail.Send(p.id, data)
		if err != nil {
			p.r.cfg.Log.Warn("cluster: message to another node", "node", p.id.String(), "err", err)
			p.fail(errStreamGap) // the other node finds out by the number
		}
		p.mu.Lock()
	}
	p.sending, p.out = false, nil
}

// number takes the number of a message that came, and reports whether it counts,
// and whether one before it was lost.
func (p *relayPeer) number(h relayHead) (counts, gap bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = time.Now()
	switch {
	case h.n == 0:
		return true, false
	case h.link != p.inLink:
		gap = p.inLink != 0 || h.n != 1 // it has made our acquaintance anew
		p.inLink, p.in = h.link, h.n
		return true, gap
	case h.n <= p.in:
		return false, false
	}
	gap = h.n != p.in+1
	p.in = h.n
	return true, gap
}
