package eioclient

import (
	"context"
	"slices"
	"time"

	"github.com/hermod-io/hermod/engineio/packet"
	"github.com/hermod-io/hermod/wscore"
)

// probeData goes with the ping and the pong of a probe. Engine.IO v4, "Upgrade".
const probeData = "probe"

// upgradable reports whether the session may and should change to WebSocket.
func (s *Session) upgradable() bool {
	cfg := &s.d.cfg
	return !cfg.NoUpgrade && slices.Contains(cfg.Transports, WebSocket) && slices.Contains(s.shake.Upgrades, WebSocket)
}

// tryUpgrade connects over WebSocket and asks whether that works. If it does
// not, the session stays with polling.
func (s *Session) tryUpgrade() {
	ctx := s.ctx
	timeout := s.d.cfg.Timeout
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	t, err := s.dialWebSocket(ctx)
	if err != nil {
		s.logUpgrade(err)
		return
	}
	s.mu.Lock()
	if s.state != stateOpen {
		s.mu.Unlock()
		_ = t.conn.CloseNow()
		return
	}
	s.probe = t
	if timeout > 0 {
		t.late = time.AfterFunc(timeout, func() { _ = t.conn.CloseNow() })
	}
	s.mu.Unlock()
	t.conn.Serve(t)
	_ = t.conn.SendMessages(wscore.Must, frame(packet.Packet{Type: packet.Ping, Data: []byte(probeData)}))
}

// probed takes a packet on a connection that is not the transport: the answer
// to the probe, after which nothing more is posted, and the transport is changed
// when the GET and the POST that are under way have ended.
func (s *Session) probed(t *wsTransport, p packet.Packet) {
	s.mu.Lock()
	switch {
	case s.ws.Load() == t: // it was changed meanwhile
		s.mu.Unlock()
		s.receive(p)
		return
	case s.probe == t && p.Type == packet.Pong && string(p.Data) == probeData:
		s.held, t.ready = true, true
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	s.probeFailed(t)
}

// probeFailed gives a probe up.
func (s *Session) probeFailed(t *wsTransport) {
	s.mu.Lock()
	if s.probe == t {
		s.dropProbe()
		s.kick()
	}
	s.mu.Unlock()
	_ = t.conn.CloseNow()
}

// dropProbe forgets the probe and returns it; nil if there is none. mu is held.
func (s *Session) dropProbe() *wsTransport {
	t := s.probe
	if t != nil && t.late != nil {
		t.late.Stop()
	}
	s.probe, s.held = nil, false
	return t
}

// changeTransport changes to WebSocket if the probe has succeeded. It runs on
// the polling goroutine while no GET is under way, and waits for the end of the
// POST. It reports whether polling is over.
func (s *Session) changeTransport() bool {
	s.mu.Lock()
	t := s.probe
	for t != nil && t.ready && s.probe == t && s.posting {
		if s.idle == nil {
			s.idle = make(chan struct{})
		}
		idle := s.idle
		s.mu.Unlock()
		select {
		case <-idle:
		case <-s.done:
		}
		s.mu.Lock()
	}
	if t == nil || !t.ready || s.probe != t || s.state != stateOpen {
		s.mu.Unlock()
		return false
	}
	if t.conn.SendMessages(wscore.Must, frame(packet.Packet{Type: packet.Upgrade})) != nil {
		s.dropProbe()
		s.kick()
		s.mu.Unlock()
		return false
	}
	s.dropProbe()
	for _, p := range s.box {
		_ = t.conn.SendMessages(wscore.Must, frame(p)) // closed: OnClose tells
	}
	s.box, s.bytes, s.packets = nil, 0, 0
	s.ws.Store(t) // from now on others send without mu
	s.mu.Unlock()
	s.closeIdle()
	if s.h.OnUpgrade != nil {
		s.h.OnUpgrade()
	}
	return true
}

// logUpgrade tells why the session stays with polling.
func (s *Session) logUpgrade(err error) {
	if log := s.d.cfg.Log; log != nil && s.ctx.Err() == nil {
		log.Info("no upgrade", "transport", WebSocket, "err", err)
	}
}
