package redisadapter

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/socketio/parser"
)

// fakeSocket is a socket that keeps what it is sent.
type fakeSocket struct {
	id   string
	info adapters.SocketInfo
	acks string // what it answers is "ok-" and this, "" for nothing

	mu     sync.Mutex // guards what follows
	got    []string   // texts of events
	closed []bool     // the arguments of Disconnect
}

func (s *fakeSocket) ID() string { return s.id }
func (s *fakeSocket) Info() adapters.SocketInfo {
	info := s.info
	info.ID = s.id
	return info
}
func (s *fakeSocket) Pending() bool { return false }
func (s *fakeSocket) Supersede()    {}
func (s *fakeSocket) Disconnect(closeConn bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = append(s.closed, closeConn)
}

func (s *fakeSocket) take(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, text)
}

// events returns what came so far.
func (s *fakeSocket) events() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// disconnects returns the arguments of Disconnect so far.
func (s *fakeSocket) disconnects() []bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.closed)
}

// fakeLocal is a namespace of fakeSockets.
type fakeLocal struct {
	name  string
	reply func(args string, reply func(parser.Args)) // of server-side events, if set

	mu     sync.Mutex // guards what follows
	events []string   // server-side
}

func (l *fakeLocal) Name() string                    { return l.name }
func (l *fakeLocal) Recovery() adapters.Recovery     { return adapters.Recovery{} }
func (l *fakeLocal) SessionExpired(adapters.Session) {}

func (l *fakeLocal) Deliver(p *parser.Packet, _ adapters.Flags, to iter.Seq[adapters.Member]) (n int) {
	for m := range to {
		m.(*fakeSocket).take(untag(p.Args))
		n++
	}
	return n
}

// DeliverAck answers as the clients of the recordings do.
func (l *fakeLocal) DeliverAck(p *parser.Packet, _ adapters.Flags, to iter.Seq[adapters.Member], each func(adapters.Member, parser.Args)) (n int, stop func()) {
	name, _ := p.EventName()
	for m := range to {
		n++
		s := m.(*fakeSocket)
		s.take(untag(p.Args))
		switch string(name) {
		case "ack":
			each(m, parser.Args{JSON: []byte(`["ok-` + s.acks + `"]`)})
		case "ackbin":
			each(m, parser.Args{JSON: []byte(`[{"_placeholder":true,"num":0}]`), Attachments: [][]byte{[]byte(s.acks)}})
		}
	}
	return n, func() {}
}

func (l *fakeLocal) ServerSideEvent(args parser.Args, reply func(parser.Args)) {
	text := untag(args)
	l.mu.Lock()
	l.events = append(l.events, text)
	l.mu.Unlock()
	if l.reply != nil && reply != nil {
		l.reply(text, reply)
	}
}

// serverSide returns the server-side events so far.
func (l *fakeLocal) serverSide() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.events)
}

// classicNode makes the adapter of a namespace that is closed with the test.
func classicNode(t testing.TB, client redis.UniversalClient, opts Options, local adapters.Local) *cluster.Adapter {
	t.Helper()
	a, err := New(client, opts)(local)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = a.Close(ctx)
	})
	return a.(*cluster.Adapter)
}

// join puts a fake socket into its own room and others.
func join(t testing.TB, a adapters.Adapter, id string, rooms ...string) *fakeSocket {
	t.Helper()
	s := &fakeSocket{id: id, acks: strings.ToLower(id)}
	joinAs(t, a, s, rooms...)
	return s
}

func joinAs(t testing.TB, a adapters.Adapter, s *fakeSocket, rooms ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := a.Join(ctx, s, append([]string{s.id}, rooms...)...); err != nil {
		t.Fatal(err)
	}
}
