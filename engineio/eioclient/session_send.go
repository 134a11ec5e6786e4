package eioclient

import (
	"errors"

	"github.com/hermod-io/hermod/engineio/packet"
	"github.com/hermod-io/hermod/wscore"
)

// Message is one message to be sent. Data is read before the call that takes it
// returns.
type Message struct {
	Binary bool   // tells bytes from text, which must be UTF-8
	Data   []byte // the payload; may be nil
}

// SendFlags modify a send. The zero value is none of them.
type SendFlags uint8

const (
	// NoCompress keeps the messages from being deflated.
	NoCompress SendFlags = 1 << iota
	// Must exempts the messages from the bound of the queue. For what is
	// bounded otherwise.
	Must
)

// Send sends msgs as one unit, nothing gets between them, and either all are
// taken or none. It never blocks: they leave at once or are queued. Errors:
// ErrClosed, ErrQueueFull.
func (s *Session) Send(f SendFlags, msgs ...Message) error {
	if ws := s.ws.Load(); ws != nil {
		return ws.send(f, msgs)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if ws := s.ws.Load(); ws != nil {
		return ws.send(f, msgs)
	}
	if s.state != stateOpen {
		return ErrClosed
	}
	size := 0
	for i := range msgs {
		size += 1 + len(msgs[i].Data)
	}
	q := &s.d.cfg.Queue
	if f&Must == 0 && s.packets > 0 && (s.bytes+size > q.Bytes || s.packets+len(msgs) > q.Packets) {
		return ErrQueueFull
	}
	memory := make([]byte, 0, size)
	for i := range msgs {
		begin := len(memory)
		memory = append(memory, msgs[i].Data...)
		s.add(packet.Packet{Type: packet.Message, Binary: msgs[i].Binary, Data: memory[begin:len(memory):len(memory)]})
	}
	s.kick()
	return nil
}

// Writable reports whether a message would leave now: not while bytes wait that
// the network has refused, nor while a POST or an upgrade is under way.
func (s *Session) Writable() bool {
	if ws := s.ws.Load(); ws != nil {
		return !ws.conn.Stalled()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == stateOpen && !s.posting && !s.held && len(s.box) == 0
}

// Buffered reports what waits to be sent, in bytes and in packets.
func (s *Session) Buffered() (bytes, packets int) {
	if ws := s.ws.Load(); ws != nil {
		return ws.conn.Buffered()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes, s.packets
}

// sendPacket sends a packet of the protocol's own, whose data is ours. It may
// exceed the bound of the queue by a quarter; ErrQueueFull is the end.
func (s *Session) sendPacket(p packet.Packet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ws := s.ws.Load(); ws != nil {
		_ = ws.conn.SendMessages(wscore.Must, frame(p)) // closed: the reader hears of it
		return nil
	}
	if s.state != stateOpen {
		return nil
	}
	if q := &s.d.cfg.Queue; s.packets > q.Packets+q.Packets/4 {
		return ErrQueueFull
	}
	s.push(p)
	return nil
}

// add puts p into the box. mu is held.
func (s *Session) add(p packet.Packet) {
	s.box = append(s.box, p)
	s.bytes += 1 + len(p.Data)
	s.packets++
}

// push is add that starts a POST. mu is held.
func (s *Session) push(p packet.Packet) {
	s.add(p)
	s.kick()
}

// send is Send over WebSocket.
func (t *wsTransport) send(f SendFlags, msgs []Message) error {
	var room [4]wscore.Message
	out := room[:0]
	for i := range msgs {
		m := frame(packet.Packet{Type: packet.Message, Binary: msgs[i].Binary, Data: msgs[i].Data})
		m.Plain = f&NoCompress != 0
		out = append(out, m)
	}
	var ws wscore.SendFlags
	if f&Must != 0 {
		ws = wscore.Must
	}
	switch err := t.conn.SendMessages(ws, out...); {
	case err == nil:
		return nil
	case errors.Is(err, wscore.ErrQueueFull):
		return ErrQueueFull
	}
	return ErrClosed
}

// typeBytes are the prefixes of text messages, which nobody writes to.
var typeBytes = []byte("0123456")

// frame is the WebSocket message of p. Engine.IO v4, "Packet encoding".
func frame(p packet.Packet) wscore.Message {
	if p.Binary {
		return wscore.Message{Op: wscore.OpBinary, Data: p.Data}
	}
	i := p.Type - packet.Open
	return wscore.Message{Op: wscore.OpText, Prefix: typeBytes[i : i+1], Data: p.Data}
}
