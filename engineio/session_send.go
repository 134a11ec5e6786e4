package engineio

import (
	"errors"

	"github.com/hermod-io/hermod/engineio/packet"
	"github.com/hermod-io/hermod/wscore"
)

// Send queues msgs as one unit: nothing gets between them, and either all are taken or
// none. Errors: ErrClosed, ErrQueueFull.
func (s *Session) Send(f SendFlags, msgs ...Message) error {
	if ws := s.ws.Load(); ws != nil {
		return ws.send(f, msgs)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if ws := s.ws.Load(); ws != nil {
		return ws.send(f, msgs)
	}
	pkts, size := copyPackets(msgs)
	return s.boxUnit(f, unit{pkts: pkts, noCompress: f&NoCompress != 0}, size, len(msgs))
}

// SendPrepared is Send for messages encoded before.
func (s *Session) SendPrepared(p *Prepared, f SendFlags) error {
	if ws := s.ws.Load(); ws != nil {
		return ws.sendPrepared(p, f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if ws := s.ws.Load(); ws != nil {
		return ws.sendPrepared(p, f)
	}
	return s.boxUnit(f, unit{prepared: p, noCompress: f&NoCompress != 0}, p.size, len(p.pkts))
}

// sendPacket queues a packet of the engine's own.
func (s *Session) sendPacket(f SendFlags, p packet.Packet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sendLocked(f, p)
}

// sendLocked is sendPacket with mu held.
func (s *Session) sendLocked(f SendFlags, p packet.Packet) error {
	if ws := s.ws.Load(); ws != nil {
		return closedErr(ws.conn.SendMessages(wsFlags(f), s.framing.message(p)))
	}
	return s.boxUnit(f, unit{pkts: []packet.Packet{p}}, 1+len(p.Data), 1)
}

// boxUnit puts u into the outbox and wakes a waiting GET. mu is held.
func (s *Session) boxUnit(f SendFlags, u unit, size, n int) error {
	if s.state != stateOpen {
		return ErrClosed
	}
	if err := s.needed().box.admit(s.srv.cfg.Queue, size, n, f); err != nil {
		if f&Must != 0 || s.srv.cfg.Queue.OnFull == Disconnect {
			s.endLocked(TransportError, err)
		}
		return err
	}
	s.box.units = append(s.box.units, u)
	if s.get != nil {
		s.get.wake()
	}
	return nil
}

// Writable reports whether a volatile packet would leave now: not when the kernel
// has refused bytes that still wait, or no GET waits.
func (s *Session) Writable() bool {
	if ws := s.ws.Load(); ws != nil {
		return !ws.conn.Stalled()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.get != nil && s.answer == nil && s.state == stateOpen
}

// Buffered reports what waits for the client, in bytes and in packets.
func (s *Session) Buffered() (bytes, packets int) {
	if ws := s.ws.Load(); ws != nil {
		return ws.conn.Buffered()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.box.bytes, s.box.packets
}

func (t *wsTransport) send(f SendFlags, msgs []Message) error {
	var room [4]wscore.Message
	out := room[:0]
	for i := range msgs {
		out = append(out, t.s.framing.own(msgs[i]))
	}
	return closedErr(t.conn.SendMessages(wsFlags(f), out...))
}

func (t *wsTransport) sendPrepared(p *Prepared, f SendFlags) error {
	return closedErr(t.conn.SendPrepared(p.frames(t.s.framing), wsFlags(f)))
}

func wsFlags(f SendFlags) (w wscore.SendFlags) {
	if f&Later != 0 {
		w |= wscore.Later
	}
	if f&Must != 0 {
		w |= wscore.Must
	}
	if f&NoCompress != 0 {
		w |= wscore.Plain
	}
	return w
}

// closedErr translates the errors of the floor below.
func closedErr(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, wscore.ErrQueueFull):
		return ErrQueueFull
	}
	return ErrClosed
}
