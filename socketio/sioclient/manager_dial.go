package sioclient

import (
	"context"
	"time"

	"github.com/hermod-io/hermod/engineio/eioclient"
)

// dialing is the making of a connection: a goroutine that tries again and again.
// It ends when there is a connection, when it is given up, or with ctx.
type dialing struct {
	ctx    context.Context
	cancel context.CancelFunc
	again  bool // there was a connection before, or an attempt failed
	failed int  // attempts to connect again
}

// dial starts the making of a connection, unless it goes on or there is one.
// mu is held.
func (m *Manager) dial(again bool) {
	if m.dialing != nil || m.link != nil || m.closed {
		return
	}
	d := &dialing{again: again}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	m.dialing = d
	m.wg.Go(func() { m.dialLoop(d) })
}

func (m *Manager) dialLoop(d *dialing) {
	defer d.cancel()
	for {
		if d.again && !m.pause(d) {
			return
		}
		l := &link{m: m}
		_, err := m.dialer.Dial(d.ctx, m.url, eioclient.Handler{
			OnOpen:    func(s *eioclient.Session) { m.opened(d, l, s) },
			OnMessage: l.message,
			OnPing:    func() { m.call(evPing, nil) },
			OnClose:   l.closed,
		})
		if err == nil || !m.current(d) {
			return
		}
		m.dialFailed(d, err)
		if m.cfg.NoReconnection {
			m.giveUp(d, err)
			return
		}
		d.again = true
	}
}

// current reports whether d is what makes the connection, and there is none.
func (m *Manager) current(d *dialing) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dialing == d
}

// pause waits before the next attempt and reports whether there is one.
func (m *Manager) pause(d *dialing) bool {
	r := &m.cfg.Reconnection
	if r.Attempts > 0 && d.failed >= r.Attempts {
		m.giveUp(d, errGaveUp)
		return false
	}
	timer := time.NewTimer(r.delay(d.failed, m.random()))
	defer timer.Stop()
	d.failed++
	select {
	case <-timer.C:
	case <-d.ctx.Done():
		return false
	}
	m.call(evReconnectAttempt, d.failed)
	return d.ctx.Err() == nil
}

// dialFailed tells of a failed attempt.
func (m *Manager) dialFailed(d *dialing, err error) {
	m.mu.Lock()
	for _, s := range m.sockets {
		if s.active {
			s.lastErr = err
			s.connectError(err)
		}
	}
	m.mu.Unlock()
	m.logLink("connection failed", err)
	m.call(evError, err)
	if d.again {
		m.call(evReconnectError, err)
	}
}

// giveUp ends d without a connection.
func (m *Manager) giveUp(d *dialing, err error) {
	m.mu.Lock()
	if m.dialing != d {
		m.mu.Unlock()
		return
	}
	m.dialing = nil
	for _, s := range m.sockets {
		if s.active {
			s.tellWaiting(err)
		}
	}
	m.mu.Unlock()
	if d.again && !m.cfg.NoReconnection {
		m.call(evReconnectFailed, nil)
	}
}

// opened begins a connection. It runs on its reading goroutine.
func (m *Manager) opened(d *dialing, l *link, s *eioclient.Session) {
	l.session = s
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.decoder = m.cfg.Parser.NewDecoder(m.limits())
	m.mu.Lock()
	if m.dialing != d {
		l.told = true
		m.mu.Unlock()
		l.cancel()
		s.Close()
		return
	}
	m.dialing, m.link = nil, l
	var sockets []*Socket
	for _, s := range m.sockets {
		if s.active {
			sockets = append(sockets, s)
		}
	}
	m.mu.Unlock()
	m.logLink("connection open", nil)
	m.call(evOpen, nil)
	m.mu.Lock()
	for _, s := range sockets {
		s.join()
	}
	m.mu.Unlock()
	if d.again {
		m.call(evReconnect, d.failed)
	}
}
