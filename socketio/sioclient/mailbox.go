package sioclient

// mail is what a Socket's goroutine does next: the handling of an event, or a
// call of user code.
type mail struct {
	event *Event
	f     func()
	size  int
}

// mailbox is what waits for the handlers of a Socket, in order.
type mailbox struct {
	waits   []mail
	working bool
	idle    chan struct{} // closed when nothing is left; nil while nobody waits for that
}

// mailboxes counts the events of all Sockets of a Manager that wait for their
// handlers.
type mailboxes struct {
	packets, bytes int
	asking         int           // waits for an ack
	room           chan struct{} // closed when the reader may look again; nil while it does not wait
}

// maxEarly is how many bytes of events may come before the answer to CONNECT:
// those that a recovered connection has missed.
const maxEarly = 64 << 20

// tooMany is how many times the bound may be exceeded while somebody waits for
// an ack, which may be behind the events.
const tooMany = 4

// post puts something into the mailbox. mu is held.
func (s *Socket) post(it mail) {
	b := &s.box
	b.waits = append(b.waits, it)
	if !b.working {
		b.working = true
		s.m.wg.Go(s.work)
	}
}

// work is the goroutine that runs handlers, as long as there is mail.
func (s *Socket) work() {
	m, ended := s.m, false
	defer func() {
		if !ended { // user code ended the goroutine
			m.wg.Go(s.work)
		}
	}()
	for {
		m.mu.Lock()
		b := &s.box
		if len(b.waits) == 0 {
			b.working, b.waits = false, nil
			if b.idle != nil {
				close(b.idle)
				b.idle = nil
			}
			m.mu.Unlock()
			ended = true
			return
		}
		it := b.waits[0]
		b.waits[0] = mail{}
		b.waits = b.waits[1:]
		m.uncount(it)
		m.mu.Unlock()
		if it.event != nil {
			s.handle(it.event)
		} else {
			it.f()
		}
	}
}

// received takes an event. It reports whether the mailboxes are full. mu is held.
func (s *Socket) received(e *Event) (full bool, err error) {
	size := sizeOf(e.Encoded())
	switch {
	case s.conn != nil:
		s.noteOffset(e)
		s.accept(e, size)
		return s.m.over(1), nil
	case s.asked != nil:
		if s.earlySize += size; s.earlySize > maxEarly {
			s.pid = "" // else there would be as many the next time
			return false, errEarly
		}
		s.early = append(s.early, e)
	}
	return false, nil
}

// accept puts an event of the present connection into the mailbox. mu is held.
func (s *Socket) accept(e *Event, size int) {
	e.conn = s.conn
	s.m.box.packets++
	s.m.box.bytes += size
	s.post(mail{event: e, size: size})
}

// moveEarly hands on what came before the answer to CONNECT. mu is held.
func (s *Socket) moveEarly() {
	early := s.early
	s.early, s.earlySize = nil, 0
	if s.conn == nil {
		return // it was never answered
	}
	for _, e := range early {
		s.accept(e, sizeOf(e.Encoded()))
	}
}

// noteOffset remembers where recovery goes on: the last argument of an event,
// if the server has recovery. mu is held.
func (s *Socket) noteOffset(e *Event) {
	if s.pid == "" {
		return
	}
	n := e.Len()
	if n == 0 {
		return
	}
	var offset string
	if raw := e.Raw(n - 1); raw[0] == '"' && e.Decode(n-1, &offset) == nil {
		s.offset = offset
	}
}

// dropMail forgets the events that wait. mu is held.
func (s *Socket) dropMail() {
	kept := s.box.waits[:0]
	for _, it := range s.box.waits {
		if it.event == nil {
			kept = append(kept, it)
		} else {
			s.m.uncount(it)
		}
	}
	clear(s.box.waits[len(kept):])
	s.box.waits = kept
}

// idle returns a channel that is closed when nothing of the Socket's runs or
// waits. mu is held.
func (s *Socket) idle() <-chan struct{} {
	b := &s.box
	if !b.working {
		ch := make(chan struct{})
		close(ch)
		return ch
	}
	if b.idle == nil {
		b.idle = make(chan struct{})
	}
	return b.idle
}

// over reports whether more waits than times the bound. mu is held.
func (m *Manager) over(times int) bool {
	b := &m.cfg.Mailbox
	return m.box.packets > times*b.Packets || m.box.bytes > times*b.Bytes
}

// halfEmpty reports whether a reader that waits may go on. mu is held.
func (m *Manager) halfEmpty() bool {
	b := &m.cfg.Mailbox
	return m.box.packets <= b.Packets/2 && m.box.bytes <= b.Bytes/2
}

// uncount needs mu.
func (m *Manager) uncount(it mail) {
	if it.event == nil {
		return
	}
	m.box.packets--
	m.box.bytes -= it.size
	if m.box.room != nil && m.halfEmpty() {
		m.box.wake()
	}
}

// asks counts those who wait for an ack: the reader must go on, for the ack may
// be behind the events.
func (m *Manager) asks(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.box.asking += n
	if n > 0 {
		m.box.wake()
	}
}

// wake needs the Manager's mu.
func (b *mailboxes) wake() {
	if b.room != nil {
		close(b.room)
		b.room = nil
	}
}

// pause holds the reader up until the mailboxes are half empty, unless an ack
// must be read. The heartbeat goes on.
func (l *link) pause() {
	m := l.m
	for paused := false; ; paused = true {
		m.mu.Lock()
		enough := paused && !m.halfEmpty() || m.over(1)
		if m.link != l || !enough || m.box.asking > 0 && !m.over(tooMany) {
			m.mu.Unlock()
			return
		}
		if m.box.room == nil {
			m.box.room = make(chan struct{})
		}
		room := m.box.room
		m.mu.Unlock()
		if l.session.Hold(room) {
			return
		}
	}
}
