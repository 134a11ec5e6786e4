package cluster

import (
	"context"
	"net/http"
)

// receive takes a message of another node. It is called by one goroutine.
func (r *Router) receive(data []byte) {
	rd := relayReader{b: data}
	h, err := rd.head()
	if err != nil {
		r.bad(err)
		return
	}
	if h.from == r.self {
		r.own(&rd)
		return
	}
	p := r.meet(h.from)
	if p == nil {
		return
	}
	counts, gap := p.number(h)
	if gap {
		r.count.gaps.Add(1)
		r.cfg.Log.Warn("cluster: messages of another node were lost", "node", p.id.String())
		p.fail(errStreamGap, resetGap)
		p.post(&relayFrame{kind: frameGap}, true)
	}
	for counts {
		f, more, err := rd.next()
		if err != nil {
			r.bad(err)
			p.fail(errStreamGap, resetGap)
			return
		}
		if !more {
			return
		}
		r.take(p, &f)
	}
}

func (r *Router) bad(err error) {
	r.count.bad.Add(1)
	r.cfg.Log.Warn("cluster: message of another node", "err", err)
}

// own looks for another node with this one's id.
func (r *Router) own(rd *relayReader) {
	if f, more, err := rd.next(); err == nil && more && f.kind == frameHello && f.n != r.instance {
		r.cfg.Log.Error("cluster: two nodes have the same id; restart one of them", "node", r.self.String())
	}
}

// take handles a frame.
func (r *Router) take(p *relayPeer, f *relayFrame) {
	switch f.kind {
	case frameHello:
		if f.flags&flagAsk != 0 {
			p.post(&relayFrame{kind: frameHello, n: r.instance}, true)
		}
	case frameBye:
		r.part(p, true)
	case framePing:
		p.post(&relayFrame{kind: framePong, n: f.n}, true)
	case framePong:
		p.ponged(f.n)
	case frameGap:
		p.fail(errStreamGap, resetGap)
	case frameOpen:
		r.opened(p, f)
	default:
		s := p.find(f.stream)
		switch {
		case s == nil: // it is over here, and the other node was told or knows
		case f.kind == frameReset:
			why, ok := resetErrors[f.n]
			if !ok {
				why = errStreamAborted
			}
			s.fail(why)
		case !s.arrived(f):
			r.count.failed.Add(1)
			s.fail(errStreamOverload, resetOverload)
		}
	}
}

// opened begins to serve a request.
func (r *Router) opened(p *relayPeer, f *relayFrame) {
	refuse := func(why uint64) {
		p.post(&relayFrame{kind: frameReset, stream: f.stream ^ 1, n: why}, true)
	}
	here := r.here.Load()
	if here == nil || !(*here).Has(f.req.sid) {
		refuse(resetUnknown)
		return
	}
	req, err := newServed(f)
	if err != nil || f.stream&1 == 0 {
		r.bad(errRelayWire)
		refuse(resetAborted)
		return
	}
	if !r.enter() {
		refuse(resetOverload)
		return
	}
	p.mu.Lock()
	s := p.add(f.stream ^ 1)
	p.mu.Unlock()
	if s == nil {
		r.bad(errRelayWire)
		return
	}
	body := relayFrame{kind: frameData, data: f.data, flags: f.flags & flagFin}
	ctx, cancel := context.WithCancel(context.Background())
	s.onFail = func(error) { cancel() }
	if !s.arrived(&body) {
		s.fail(errStreamOverload, resetOverload)
	}
	r.count.served.Add(1)
	if !r.goFunc(func() { serveRelayed(*here, s, req.WithContext(ctx), cancel) }, &r.serving) {
		cancel()
		s.fail(errRouterClosed, resetAborted)
	}
}

// serveRelayed serves a request for another node, on a goroutine of its own.
func serveRelayed(here http.Handler, s *relayStream, req *http.Request, cancel context.CancelFunc) {
	defer cancel()
	w := &relayWriter{s: s, remote: req.RemoteAddr, header: http.Header{}, length: -1}
	if req.ContentLength != 0 {
		req.Body = relayBody{s}
	}
	served := false
	defer func() {
		v := recover()
		w.finish(served)
		if v != nil && v != http.ErrAbortHandler {
			s.p.r.cfg.Log.Error("cluster: panic while serving for another node", "panic", v)
		}
	}()
	here.ServeHTTP(w, req)
	served = true
}
