package sioclient

import (
	"context"

	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/socketio/parser"
)

// link is one connection of a Manager, from its beginning to its end. Its
// decoder belongs to the reading goroutine.
type link struct {
	m       *Manager
	session *eioclient.Session
	decoder parser.Decoder
	ctx     context.Context // until the end
	cancel  context.CancelFunc
	told    bool // OnClose was, or is not to be; guarded by m.mu
}

// message takes one Engine.IO message. It runs on the reading goroutine.
func (l *link) message(binary bool, data []byte) {
	p, ok, err := l.decoder.Decode(binary, data)
	switch {
	case err != nil:
		l.fail(err)
	case ok:
		l.packet(&p)
	}
}

// fail gives the connection up because of what the server has sent.
func (l *link) fail(err error) {
	l.over(ParseError, err)
	l.session.Close()
}

// closed is told of the end of the connection, on the reading goroutine.
func (l *link) closed(reason eioclient.Reason, err error) {
	l.over(Reason(reason), err)
}

// over ends the connection and has it made again, unless it was given up
// before. The hooks hear of it once.
func (l *link) over(reason Reason, err error) {
	m := l.m
	m.mu.Lock()
	if m.link == l {
		m.unlink()
		cause := &DisconnectError{Reason: reason, Err: err}
		for _, s := range m.sockets {
			s.left(cause)
			if s.active && m.cfg.NoReconnection {
				s.tellWaiting(cause)
			}
		}
		if !m.cfg.NoReconnection {
			m.dial(true)
		}
	}
	tell := !l.told
	l.told = true
	m.mu.Unlock()
	if tell {
		m.logLink("connection closed", &DisconnectError{Reason: reason, Err: err})
		m.call(evClose, closing{reason, err})
	}
}

// packet takes a packet.
func (l *link) packet(p *parser.Packet) {
	m := l.m
	m.mu.Lock()
	s := m.sockets[p.Namespace]
	if m.link != l || s == nil {
		if m.link == l && p.Type == parser.Connect { // of a Socket that was closed meanwhile
			_ = l.send(must, &parser.Packet{Type: parser.Disconnect, Namespace: p.Namespace})
		}
		m.mu.Unlock()
		return
	}
	full := false
	var err error
	switch p.Type {
	case parser.Connect:
		err = s.joined(l, p.JSON)
	case parser.ConnectError:
		s.refused(newConnectError(s.nsp, p.JSON))
	case parser.Disconnect:
		s.serverDisconnect()
	case parser.Event:
		if p.JSON != nil {
			full, err = s.received(newEvent(s, p))
		}
	case parser.Ack:
		if p.HasID {
			s.answered(p)
		}
	}
	m.mu.Unlock()
	switch {
	case err != nil:
		l.fail(err)
	case full:
		l.pause()
	}
}

// send encodes p and sends it. mu is held.
func (l *link) send(f eioclient.SendFlags, p *parser.Packet) error {
	w := getWriter()
	defer putWriter(w)
	return l.session.Send(f, w.unit(l.m.cfg.Parser, p)...)
}

func (m *Manager) limits() parser.Limits { return parser.Limits{Attachments: m.cfg.MaxAttachments} }
