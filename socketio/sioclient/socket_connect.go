package sioclient

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/internal/ctxend"
	"github.com/hermod-io/hermod/internal/usercode"
	"github.com/hermod-io/hermod/socketio/parser"
)

// must exempts what the protocol itself has to say from the bound of the queue.
const must = eioclient.Must

// Open starts to connect, if the Socket is neither connected nor does already:
// now, and after each loss. It does not wait; OnConnect and OnConnectError tell.
// After Close it does nothing. JS: connect, open.
func (s *Socket) Open() {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.open()
}

// open needs mu.
func (s *Socket) open() {
	if s.closed || s.m.closed {
		return
	}
	s.active = true
	switch {
	case s.conn != nil:
	case s.m.link != nil:
		s.join()
	default:
		s.m.dial(false)
	}
}

// Connect is Open that waits until the Socket is in its namespace. While no
// connection can be made it goes on trying as Config.Reconnection says. If ctx
// ends before, the Socket is disconnected, and the error wraps ctx's, its cause and that
// of the last attempt. Other errors: a *ConnectError if the server has refused it,
// an *eioclient.DialError when the connection is given up, a *DisconnectError when it
// is lost before and not made again, and ErrClosed.
func (s *Socket) Connect(ctx context.Context) error {
	if err := ctxend.Err(ctx); err != nil {
		return fmt.Errorf("socketio: connect: %w", err)
	}
	s.m.mu.Lock()
	if s.closed || s.m.closed {
		s.m.mu.Unlock()
		return ErrClosed
	}
	if s.conn != nil {
		s.m.mu.Unlock()
		return nil
	}
	heard := make(chan error, 1)
	s.waiting = append(s.waiting, heard)
	s.lastErr = nil
	s.open()
	s.m.mu.Unlock()
	select {
	case err := <-heard:
		return err
	case <-ctx.Done():
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.conn != nil { // it was there first
		return nil
	}
	last := s.lastErr
	s.disconnect()
	s.m.rest()
	if last != nil {
		return fmt.Errorf("socketio: connect: %w (%w)", ctxend.Err(ctx), last)
	}
	return fmt.Errorf("socketio: connect: %w", ctxend.Err(ctx))
}

// tellWaiting ends the waits of Connect. mu is held.
func (s *Socket) tellWaiting(err error) {
	for _, ch := range s.waiting {
		ch <- err // has room for one
	}
	s.waiting = nil
}

// join sends a CONNECT, unless one is on its way. mu is held.
func (s *Socket) join() {
	l := s.m.link
	if l == nil || !s.active || s.conn != nil || s.asked == l {
		return
	}
	s.asked = l
	s.early, s.earlySize = nil, 0
	if s.auth == nil {
		s.sendConnect(l, nil)
		return
	}
	s.m.wg.Go(func() { s.authenticate(l) })
}

// authenticate sends a CONNECT with what Auth says. If that ends the goroutine the
// Socket does not try again.
func (s *Socket) authenticate(l *link) {
	ended := false
	defer func() {
		if ended {
			return
		}
		s.m.mu.Lock()
		defer s.m.mu.Unlock()
		if s.asked == l {
			s.refused(usercode.Exited)
		}
	}()
	s.askAuth(l)
	ended = true
}

// askAuth asks the application what to say to the server, until it is said. It
// ends with the connection.
func (s *Socket) askAuth(l *link) {
	for failed := 0; ; failed++ {
		text, err := s.payload(l.ctx)
		if l.ctx.Err() != nil {
			return
		}
		s.m.mu.Lock()
		if s.asked != l || !s.active {
			if s.asked == l {
				s.asked = nil // nothing was sent
			}
			s.m.mu.Unlock()
			return
		}
		if err == nil {
			s.sendConnect(l, text)
			s.m.mu.Unlock()
			return
		}
		s.lastErr = err
		r := &s.m.cfg.Reconnection
		if s.m.cfg.NoReconnection || r.Attempts > 0 && failed >= r.Attempts {
			s.refused(err)
			s.m.mu.Unlock()
			return
		}
		s.connectError(err)
		s.m.mu.Unlock()
		select {
		case <-time.After(r.delay(failed, s.m.random())):
		case <-l.ctx.Done():
			return
		}
	}
}

// payload is the text of what Auth returns.
func (s *Socket) payload(ctx context.Context) (text []byte, err error) {
	defer usercode.Recovered(&err)
	v, err := s.auth(ctx)
	if err != nil || v == nil {
		return nil, err
	}
	text, attachments, err := s.m.cfg.JSON.Append(nil, nil, v)
	switch {
	case err != nil:
		return nil, &EncodeError{Event: "connect", Err: err}
	case len(attachments) > 0:
		return nil, errAuthBytes
	case string(text) == "null":
		return nil, nil
	case len(text) < 2 || text[0] != '{':
		return nil, errAuth
	}
	return text, nil
}

// sendConnect sends a CONNECT with what the application says, after what
// recovery needs. mu is held.
func (s *Socket) sendConnect(l *link, auth []byte) {
	if s.pid != "" {
		known := struct {
			PID    string `json:"pid"`
			Offset string `json:"offset,omitempty"`
		}{s.pid, s.offset}
		text, _ := json.Marshal(known) // never fails
		if len(auth) > 2 {
			text = append(text[:len(text)-1], ',')
			text = append(text, auth[1:]...)
		}
		auth = text
	}
	p := parser.Packet{Type: parser.Connect, Namespace: s.nsp}
	p.JSON = auth
	_ = l.send(must, &p) // closed: the connection's end is heard
}

// joined takes the answer to a CONNECT. mu is held.
func (s *Socket) joined(l *link, payload []byte) error {
	if s.asked != l || s.conn != nil {
		return nil
	}
	s.asked = nil
	if !s.active { // Disconnect was called meanwhile
		_ = l.send(must, &parser.Packet{Type: parser.Disconnect, Namespace: s.nsp})
		return nil
	}
	var said struct {
		SID string `json:"sid"`
		PID string `json:"pid"`
	}
	if len(payload) == 0 || json.Unmarshal(payload, &said) != nil || said.SID == "" {
		s.refused(errOldServer)
		return nil
	}
	c := &conn{link: l, id: said.SID}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	s.recovered = said.PID != "" && said.PID == s.pid
	if said.PID != s.pid {
		s.offset = "" // that of another session
	}
	s.pid = said.PID
	s.conn, s.lastErr = c, nil
	for _, e := range s.early {
		s.noteOffset(e)
	}
	s.moveEarly()
	s.flush()
	s.drain(true)
	s.post(mail{f: func() {
		s.m.logLife(s, c, "connected", "")
		s.connected(c)
	}})
	s.tellWaiting(nil)
	return nil
}

// refused ends the attempt to join: the Socket does not try again by itself. mu
// is held.
func (s *Socket) refused(err error) {
	if s.conn != nil {
		return
	}
	s.asked = nil
	if !s.active {
		return
	}
	s.active = false
	s.early, s.earlySize = nil, 0
	s.lastErr = err
	s.connectError(err)
	s.tellWaiting(err)
	s.m.rest()
}

// connectError tells OnConnectError. mu is held.
func (s *Socket) connectError(err error) {
	s.post(mail{f: func() {
		usercode.Each(s.table.Load().onConnectError, func(f func(*Socket, error)) {
			s.tell(func() { f(s, err) })
		})
	}})
}
