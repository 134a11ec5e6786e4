package eioclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/hermod-io/hermod/engineio/packet"
	"github.com/hermod-io/hermod/wscore"
)

// wsTransport is a WebSocket connection of a session: its transport, or one
// that wants to become it.
type wsTransport struct {
	s     *Session
	conn  *wscore.Conn
	late  *time.Timer // of a probe
	ready bool        // the server has answered the probe; under s.mu
}

// dialWebSocket connects.
func (s *Session) dialWebSocket(ctx context.Context) (*wsTransport, error) {
	cfg := &s.d.cfg
	o := &wscore.DialOptions{Header: cfg.Header.Clone(), TLS: cfg.TLS, Proxy: cfg.Proxy, NetDial: cfg.NetDial, Timeout: -1}
	address := s.url(WebSocket)
	if cfg.Jar != nil {
		if o.Header == nil {
			o.Header = http.Header{}
		}
		for _, c := range cfg.Jar.Cookies(s.base) {
			// A request has one Cookie header. RFC 6265 section 5.4.
			r := http.Request{Header: o.Header}
			r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		}
	}
	conn, resp, err := s.d.ws.Dial(ctx, address, o)
	if resp != nil && cfg.Jar != nil {
		cfg.Jar.SetCookies(s.base, resp.Cookies())
	}
	if err != nil {
		if resp != nil {
			e := refusal(WebSocket, resp)
			e.Err = err
			return nil, e
		}
		return nil, err
	}
	return &wsTransport{s: s, conn: conn}, nil
}

// openWebSocket makes the session over WebSocket.
func (s *Session) openWebSocket(ctx context.Context) error {
	t, err := s.dialWebSocket(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	if s.state != stateOpening {
		s.mu.Unlock()
		_ = t.conn.CloseNow()
		return ErrClosed
	}
	s.ws.Store(t)
	s.mu.Unlock()
	t.conn.Serve(t)
	select {
	case err := <-s.opened:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// OnMessage implements wscore.Protocol.
func (t *wsTransport) OnMessage(op wscore.Opcode, data []byte) {
	var p packet.Packet
	if op == wscore.OpBinary {
		p = packet.DecodeBinary(data)
	} else {
		var err error
		if p, err = packet.DecodeText(data); err != nil {
			t.malformed(err)
			return
		}
	}
	s := t.s
	switch {
	case s.over():
	case s.ws.Load() != t:
		s.probed(t, p)
	case s.shake.SID == "":
		t.open(p)
	default:
		s.receive(p)
	}
}

// open takes the first packet.
func (t *wsTransport) open(p packet.Packet) {
	s := t.s
	if err := s.handshaken(p); err != nil {
		t.malformed(err)
		return
	}
	s.tell()
}

func (t *wsTransport) malformed(err error) {
	if t.s.ws.Load() == t {
		t.s.end(ParseError, err)
		return
	}
	t.s.probeFailed(t)
}

// close begins the end of the transport: what is queued is sent before.
func (t *wsTransport) close() { _ = t.conn.Close(wscore.CloseNoStatus, "") }

// OnClose implements wscore.Protocol.
func (t *wsTransport) OnClose(err error) {
	s := t.s
	s.mu.Lock()
	mine := s.ws.Load() == t
	s.mu.Unlock()
	if !mine {
		s.probeFailed(t)
		return
	}
	reason := TransportClose
	var ce *wscore.CloseError
	if errors.As(err, &ce) && ce.Err != nil && !errors.Is(ce.Err, io.ErrUnexpectedEOF) {
		reason = TransportError
	}
	s.end(reason, err)
	s.ended()
}
