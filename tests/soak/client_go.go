package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/socketio/parser"
	"github.com/hermod-io/hermod/socketio/sioclient"
	"github.com/hermod-io/hermod/wscore"
)

// goPeer is a client of package sioclient.
type goPeer struct {
	s *sioclient.Socket
	l *ledger
}

// goKind returns what makes Go clients.
func goKind(mode string, app int, url string) *kind {
	cfg := sioclient.Config{AckTimeout: -1} // see client.awaitOverdue
	cfg.Reconnection.Delay = 100 * time.Millisecond
	cfg.Reconnection.DelayMax = time.Second
	switch mode {
	case eioclient.Polling:
		cfg.Engine.NoUpgrade = true
	case eioclient.WebSocket:
		cfg.Engine.Transports = []string{eioclient.WebSocket}
	}
	switch app {
	case appMsgPack:
		cfg.Parser = parser.MsgPack()
	case appPlain:
		cfg.Engine.Deflate = &wscore.Deflate{}
	}
	make := func(l *ledger, slot int) (peer, error) { return newGoPeer(url, cfg, l, slot) }
	return &kind{name: "Go " + mode, app: app, make: make, share: 10}
}

func newGoPeer(url string, cfg sioclient.Config, l *ledger, slot int) (peer, error) {
	cfg.Auth = func(context.Context) (any, error) { return l.begin(slot), nil }
	s, err := sioclient.New(url, cfg)
	if err != nil {
		return nil, err
	}
	p := &goPeer{s: s, l: l}
	s.OnAny(p.event)
	s.OnConnect(func(context.Context, *sioclient.Socket) error {
		l.connected()
		return nil
	})
	s.OnDisconnect(func(_ *sioclient.Socket, r sioclient.Reason) {
		l.disconnected(string(r))
		if r == sioclient.IOServerDisconnect {
			s.Open()
		}
	})
	s.OnConnectError(func(_ *sioclient.Socket, err error) {
		var refused *sioclient.ConnectError
		if errors.As(err, &refused) {
			p.complain("refused: %v", err)
		}
	})
	s.OnError(func(_ *sioclient.Socket, event string, err error) { p.complain("%s: %v", event, err) })
	return p, nil
}

func (p *goPeer) complain(format string, args ...any) {
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	p.l.complain(format, args...)
}

func (p *goPeer) event(_ context.Context, _ *sioclient.Socket, e *sioclient.Event) error {
	var n note
	var bytes []byte
	if err := e.Decode(0, &n); err != nil {
		return err
	}
	if n.Size > 0 {
		if err := e.Decode(1, &bytes); err != nil {
			return err
		}
	}
	answer := p.l.event(e.Name(), n, bytes)
	if !e.WantsAck() {
		return nil
	}
	if err := e.Ack(answer); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("ack: %w", err)
	}
	return nil
}

func (p *goPeer) open() { p.s.Open() }

func (p *goPeer) disconnect() { p.l.quiet(p.s.Disconnect) }

func (p *goPeer) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	return p.s.Close(ctx)
}

func (p *goPeer) emit(name string, n note, bytes []byte) bool {
	var err error
	if bytes == nil {
		err = p.s.Emit(name, n)
	} else {
		err = p.s.Emit(name, n, bytes)
	}
	if err != nil && !errors.Is(err, sioclient.ErrQueueFull) {
		p.complain("emit: %v", err)
	}
	return err == nil
}

func (p *goPeer) ask(ctx context.Context, name string, n note, bytes []byte) (answer note, err error) {
	var got sioclient.Args
	if bytes == nil {
		got, err = p.s.EmitWithAck(ctx, name, n)
	} else {
		got, err = p.s.EmitWithAck(ctx, name, n, bytes)
	}
	if errors.Is(err, sioclient.ErrQueueFull) {
		return answer, errors.Join(err, net.ErrClosed)
	}
	if err != nil {
		return answer, err
	}
	return answer, got.Decode(0, &answer)
}
