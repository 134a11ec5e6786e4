package wscore

import (
	"bytes"
	"errors"
	"time"
)

var errSendOp = errors.New("wscore: only text and binary messages are sent")

// Send sends a message (OpText or OpBinary), at once, after what was gathered.
// data is read before it returns. Errors: ErrQueueFull, *CloseError, what the
// protocol's Coder says. mORMot: TWebSocketProcess.SendFrame.
func (p *Process) Send(op Opcode, data []byte) error {
	if op != OpText && op != OpBinary {
		return errSendOp
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flushFirst()
	return p.encode(op, data)
}

// SendRaw is Send without the protocol's Coder: for one that has to speak with
// its like first. RFC 6455 section 6.1.
func (p *Process) SendRaw(op Opcode, data []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flushFirst()
	return p.send(op, data, len(data))
}

// SendLater sends a message within SendDelay, together with others that were
// given to it in that time; order is kept, also with Send. data is copied. An
// error that shows only later is noted, see LastError.
// mORMot: TWebSocketProcess.SendFrameAsync.
func (p *Process) SendLater(op Opcode, data []byte) error {
	delay := p.settings.sendDelay()
	if delay < 0 {
		return p.Send(op, data)
	}
	if op != OpText && op != OpBinary {
		return errSendOp
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.conn.sendable(); err != nil {
		return err
	}
	if p.waiting += len(data); p.waiting > p.settings.Conn.Queue.bytes()/2 && len(p.gathered) > 0 {
		p.flushFirst()
		p.waiting = len(data)
	}
	p.gathered = append(p.gathered, Message{Op: op, Data: bytes.Clone(data)})
	if len(p.gathered) == 1 {
		if p.timer == nil {
			p.timer = time.AfterFunc(delay, p.flushNow)
		} else {
			p.timer.Reset(delay)
		}
	}
	return nil
}

// Flush sends what was gathered. The error is of those messages that could not be
// sent; the others were.
func (p *Process) Flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.flush()
}

// flushNow is Flush for the timer. A panic of the application's code ends the
// connection: what it was to send is lost.
func (p *Process) flushNow() {
	defer func() {
		if v := recover(); v != nil {
			p.logPanic("sending", v)
			p.conn.failWith(CloseInternal, errPanic)
		}
	}()
	if err := p.Flush(); err != nil {
		p.NoteError(err)
	}
}

// flushFirst sends what was gathered before something else. Its errors are noted:
// they are not of what follows. mu is held.
func (p *Process) flushFirst() {
	if err := p.flush(); err != nil {
		p.log.Warn("wscore: process", "id", p.ID(), "err", err)
		p.lastError = err
	}
}

// flush sends what was gathered. mu is held.
func (p *Process) flush() error {
	if len(p.gathered) == 0 {
		return nil
	}
	p.timer.Stop()
	msgs := p.gathered
	p.gathered, p.waiting = nil, 0
	if g, ok := p.proto.(Gatherer); ok && len(msgs) > 1 {
		msgs = g.Gather(msgs)
	}
	var errs []error
	for i := range msgs {
		if err := p.encode(msgs[i].Op, msgs[i].Data); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// encode sends one message through the Coder. mu is held.
func (p *Process) encode(op Opcode, data []byte) error {
	if err := p.conn.sendable(); err != nil {
		return err
	}
	plain := len(data)
	p.tellSend(op, data)
	if p.coder != nil {
		_, sequential := p.coder.(Sequential)
		if sequential {
			if err := p.conn.room(len(data)); err != nil {
				return err
			}
		}
		var err error
		if op, data, err = p.coder.Encode(op, data); err != nil {
			return err
		}
		if sequential { // it has its room, but for what Encode added
			return p.sendAs(Must, op, data, plain)
		}
	}
	return p.send(op, data, plain)
}

// tellSend tells of a message that is to be sent. mu is held.
func (p *Process) tellSend(op Opcode, data []byte) {
	if f := p.settings.BeforeSend; f != nil {
		f(p, op, data)
	}
	p.logFrame("sent", op, data)
}

// tellsSend reports whether anybody listens to tellSend.
func (p *Process) tellsSend() bool {
	return p.settings.BeforeSend != nil || p.Logs(LogText|LogBinary)
}

// send hands a message to the connection, whose queue it joins before mu is
// free again: that is what keeps the order. mu is held.
func (p *Process) send(op Opcode, data []byte, plain int) error {
	return p.sendAs(0, op, data, plain)
}

func (p *Process) sendAs(f SendFlags, op Opcode, data []byte, plain int) error {
	if err := p.conn.SendMessages(f, Message{Op: op, Data: data}); err != nil {
		return err
	}
	p.counters.sent(plain, len(data))
	return nil
}

// SendPrepared sends messages that were encoded once for many connections; where
// the protocol has a Coder they are encoded for this one, but for pings and pongs.
// See [Process.Send].
// RFC 6455 section 6.1.
func (p *Process) SendPrepared(m *Prepared) error {
	if p.coder == nil {
		return p.sendRaw(m)
	}
	if m.invalid {
		return errBadMessage
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flushFirst()
	for _, msg := range m.messages() {
		if err := p.encodePrepared(msg); err != nil {
			return err
		}
	}
	return nil
}

// encodePrepared is encode, but for control frames: a Coder knows nothing of them.
// mu is held.
func (p *Process) encodePrepared(msg Message) error {
	if msg.Op.control() {
		return p.conn.SendMessages(0, msg)
	}
	return p.encode(msg.Op, msg.Data)
}

// sendRaw sends messages encoded before, without the Coder.
func (p *Process) sendRaw(m *Prepared) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flushFirst()
	if p.tellsSend() && p.conn.sendable() == nil {
		for _, msg := range m.messages() {
			if !msg.Op.control() {
				p.tellSend(msg.Op, msg.Data)
			}
		}
	}
	if err := p.conn.SendPrepared(m, Later); err != nil {
		return err
	}
	p.counters.sentPrepared(m)
	return nil
}

// Close sends what was gathered and begins the close handshake, see
// [Conn.Close]. RFC 6455 section 7.1.2.
func (p *Process) Close(code CloseCode, reason string) error {
	p.mu.Lock()
	defer p.mu.Unlock() // nothing is gathered in between
	p.flushFirst()
	return p.conn.Close(code, reason)
}

// Fail begins the close handshake because of err, which is the cause of the
// *CloseError that the connection ends with, and is noted. The peer is told the
// code alone. For protocols. RFC 6455 section 7.1.7.
func (p *Process) Fail(code CloseCode, err error) {
	p.NoteError(err)
	p.conn.failWith(code, err)
}

// CloseNow drops the connection, see [Conn.CloseNow]. RFC 6455 section 7.1.7.
func (p *Process) CloseNow() error { return p.conn.CloseNow() }
