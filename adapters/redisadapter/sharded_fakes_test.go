package redisadapter

import (
	"encoding/hex"
	"iter"
	"slices"
	"sync"
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// shardedMember is the fake of a socket. What it got is kept, binary values as
// {"$bin":hex}.
type shardedMember struct {
	id   string
	info adapters.SocketInfo

	mu   sync.Mutex // guards what follows
	got  []string
	gone bool
}

func (m *shardedMember) ID() string                { return m.id }
func (m *shardedMember) Info() adapters.SocketInfo { i := m.info; i.ID = m.id; return i }
func (m *shardedMember) Pending() bool             { return false }
func (m *shardedMember) Supersede()                {}
func (m *shardedMember) Disconnect(bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gone = true
}

func (m *shardedMember) take(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got = append(m.got, text)
}

func (m *shardedMember) events() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.got)
}

// shardedLocal is the fake of a namespace. Its sockets, and itself when it is
// asked, answer what answer says for the name of the event; nil is silence.
type shardedLocal struct {
	name   string
	answer func(event, who string) *parser.Args

	mu     sync.Mutex // guards what follows
	events []string
}

func (l *shardedLocal) Name() string                    { return l.name }
func (l *shardedLocal) Recovery() adapters.Recovery     { return adapters.Recovery{} }
func (l *shardedLocal) SessionExpired(adapters.Session) {}

func (l *shardedLocal) Deliver(p *parser.Packet, _ adapters.Flags, to iter.Seq[adapters.Member]) (n int) {
	text := shardedText(p.Args)
	for m := range to {
		m.(*shardedMember).take(text)
		n++
	}
	return n
}

func (l *shardedLocal) DeliverAck(p *parser.Packet, _ adapters.Flags, to iter.Seq[adapters.Member], each func(adapters.Member, parser.Args)) (n int, stop func()) {
	event, _ := p.EventName()
	for m := range to {
		n++
		if args := l.answer(string(event), m.ID()); args != nil {
			each(m, *args)
		}
	}
	return n, func() {}
}

func (l *shardedLocal) ServerSideEvent(args parser.Args, reply func(parser.Args)) {
	event, _ := args.EventName()
	l.mu.Lock()
	l.events = append(l.events, shardedText(args))
	l.mu.Unlock()
	if reply == nil || l.answer == nil {
		return
	}
	if a := l.answer(string(event), "server"); a != nil {
		reply(*a)
	}
}

// serverEvents returns what other nodes sent with serverSideEmit.
func (l *shardedLocal) serverEvents() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.events)
}

// shardedText is the text of arguments with binary values as {"$bin":hex}.
func shardedText(a parser.Args) string {
	return string(a.AppendJSON(nil, func(dst, b []byte) []byte {
		return append(append(append(dst, `{"$bin":"`...), hex.EncodeToString(b)...), `"}`...)
	}))
}

// shardedArgs makes arguments of a text and its binary values.
func shardedArgs(text string, attachments ...[]byte) parser.Args {
	return parser.Args{JSON: []byte(text), Attachments: attachments}
}

func shardedEvent(a parser.Args) *parser.Packet { return &parser.Packet{Type: parser.Event, Args: a} }

// enterSharded makes a socket that is in its own room and in others.
func enterSharded(t testing.TB, a adapters.Adapter, m *shardedMember, rooms ...string) *shardedMember {
	t.Helper()
	if err := a.Join(t.Context(), m, append([]string{m.id}, rooms...)...); err != nil {
		t.Fatal(err)
	}
	return m
}
