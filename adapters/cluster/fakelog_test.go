package cluster_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hermod-io/hermod/adapters/cluster"
)

// fakeLog is a log in memory, with a store, for the nodes of one test.
type fakeLog struct {
	loop *cluster.Loopback
	page int // entries of a Read
	// parts is how many messages have the offset of one entry, as in batches of a
	// stream; 0 is one.
	parts int

	mu       sync.Mutex // guards what follows
	changed  sync.Cond
	entries  []fakeEntry
	trimmed  int // how many entries are gone
	sessions map[string]fakeValue
	fences   map[string]bool // pid/node
	nodes    map[string]bool
	reading  bool   // false: the readers see nothing new
	behind   string // the node whose reader does not either
	onRead   func() // if set, Read calls it before it returns
	refusing bool   // nothing is taken any more
	refusals sync.WaitGroup
}

type fakeEntry struct {
	from, text string
	m          *cluster.Message
}

type fakeValue struct {
	value  string
	expiry time.Time
}

func newFakeLog() *fakeLog {
	l := &fakeLog{
		loop: cluster.NewLoopback(), page: 100, reading: true,
		sessions: make(map[string]fakeValue), nodes: make(map[string]bool), fences: make(map[string]bool),
	}
	l.changed.L = &l.mu
	return l
}

// connect is a cluster.ConnectLog.
func (l *fakeLog) connect(namespace string, r cluster.Receiver) (cluster.Log, error) {
	bus, err := l.loop.Connect(namespace, r)
	if err != nil {
		return nil, err
	}
	b := &fakeBus{Bus: bus, l: l, node: bus.Traits().Node, ended: make(chan struct{})}
	close(b.ended)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nodes[b.node] = true
	return b, nil
}

func (l *fakeLog) set(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	l.changed.Broadcast()
}

// at is the offset of the ith message, number the opposite.
func (l *fakeLog) at(i int) cluster.Offset {
	n := max(l.parts, 1)
	return cluster.Offset{Time: 1, Seq: uint64(i / n), Part: uint32(i % n)}
}

func (l *fakeLog) number(o cluster.Offset) int { return int(o.Seq)*max(l.parts, 1) + int(o.Part) }

// fakeBus is one node's end of a fakeLog.
type fakeBus struct {
	cluster.Bus
	l       *fakeLog
	node    string
	follows bool
	closed  bool
	ended   chan struct{} // closed when nothing is read
}

func (b *fakeBus) Publish(m *cluster.Message) error {
	switch {
	case !b.follows:
	case m.Type == cluster.SocketsJoin || m.Type == cluster.SocketsLeave || m.Type == cluster.DisconnectSockets:
		c := *m
		c.Target.Rooms, c.Target.Except = slices.Clone(m.Target.Rooms), slices.Clone(m.Target.Except)
		c.Rooms = slices.Clone(m.Rooms)
		_, err := b.Append(&c, nil)
		return err
	}
	return b.Bus.Publish(m)
}

// Answer reaches living nodes only.
func (b *fakeBus) Answer(request, m *cluster.Message) error {
	b.l.mu.Lock()
	living := b.l.nodes[request.From]
	b.l.mu.Unlock()
	if !living {
		return nil
	}
	return b.Bus.Answer(request, m)
}

func (b *fakeBus) Append(m *cluster.Message, refused func()) (string, error) {
	b.l.mu.Lock()
	defer b.l.mu.Unlock()
	text := fmt.Sprint(b.node, "/", len(b.l.entries))
	if b.l.refusing {
		b.l.refusals.Go(refused)
		return text, nil
	}
	b.l.entries = append(b.l.entries, fakeEntry{b.node, text, m})
	b.l.changed.Broadcast()
	return text, nil
}

func (b *fakeBus) Follow(_ context.Context, r cluster.LogReceiver) error {
	b.l.mu.Lock()
	defer b.l.mu.Unlock()
	n := len(b.l.entries)
	r.Begin(b.l.at(n))
	b.follows = true
	b.ended = make(chan struct{})
	go b.run(r, n) // ends with Close, which waits
	return nil
}

func (b *fakeBus) run(r cluster.LogReceiver, n int) {
	defer close(b.ended)
	l := b.l
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for !b.closed && (n == len(l.entries) || !l.reading || l.behind == b.node) {
			l.changed.Wait()
		}
		if b.closed {
			return
		}
		e := l.entries[n]
		n++
		l.mu.Unlock()
		if e.from == b.node {
			r.Own(l.at(n), e.text)
		} else {
			m := *e.m
			if m.Packet != nil { // who gets it may change it
				p := *m.Packet
				m.Packet = &p
			}
			r.Entry(l.at(n), &m)
		}
		l.mu.Lock()
	}
}

func (b *fakeBus) Read(_ context.Context, after, upTo cluster.Offset) (page []cluster.LogEntry, next cluster.Offset, err error) {
	b.l.mu.Lock()
	defer func() {
		f := b.l.onRead
		b.l.mu.Unlock()
		if f != nil {
			f()
		}
	}()
	if b.l.number(after) < b.l.trimmed {
		return nil, after, cluster.ErrTrimmed
	}
	i := b.l.number(after)
	for ; i < b.l.number(upTo) && len(page) < b.l.page; i++ {
		if m := b.l.entries[i].m; m.Type == cluster.Broadcast {
			page = append(page, cluster.LogEntry{Offset: b.l.at(i + 1), Message: m})
		}
	}
	return page, b.l.at(i), nil
}

func (b *fakeBus) Last(context.Context) (cluster.Offset, error) {
	b.l.mu.Lock()
	defer b.l.mu.Unlock()
	return b.l.at(len(b.l.entries)), nil
}

func (b *fakeBus) StoreSession(pid string, value []byte, ttl time.Duration, lost func()) error {
	b.l.mu.Lock()
	defer b.l.mu.Unlock()
	switch {
	case !b.l.fences[pid+"/"+b.node]:
		b.l.sessions[pid] = fakeValue{string(value), time.Now().Add(ttl)}
	case lost != nil:
		go lost()
	}
	return nil
}

func (b *fakeBus) DropSession(pid string) error {
	b.l.mu.Lock()
	defer b.l.mu.Unlock()
	if !b.l.fences[pid+"/"+b.node] {
		delete(b.l.sessions, pid)
	}
	return nil
}

func (b *fakeBus) LoadSession(_ context.Context, pid string) ([]byte, error) {
	b.l.mu.Lock()
	defer b.l.mu.Unlock()
	if v, ok := b.l.sessions[pid]; ok && time.Now().Before(v.expiry) {
		return []byte(v.value), nil
	}
	return nil, nil
}

func (b *fakeBus) TakeSession(_ context.Context, pid string, value, next []byte, ttl time.Duration, from string) (bool, error) {
	b.l.mu.Lock()
	defer b.l.mu.Unlock()
	v, ok := b.l.sessions[pid]
	if !ok || v.value != string(value) {
		return false, nil
	}
	delete(b.l.fences, pid+"/"+b.node)
	if from != "" {
		b.l.fences[pid+"/"+from] = true
	}
	if delete(b.l.sessions, pid); next != nil {
		b.l.sessions[pid] = fakeValue{string(next), time.Now().Add(ttl)}
	}
	return true, nil
}

func (b *fakeBus) Living(_ context.Context, known []string) (n int, gone []string, err error) {
	b.l.mu.Lock()
	defer b.l.mu.Unlock()
	for _, name := range known {
		if !b.l.nodes[name] {
			gone = append(gone, name)
		}
	}
	return len(b.l.nodes), gone, nil
}

func (b *fakeBus) Close(ctx context.Context) error {
	b.l.set(func() {
		b.closed = true
		delete(b.l.nodes, b.node)
	})
	<-b.ended
	return b.Bus.Close(ctx)
}

var _ cluster.Log = (*fakeBus)(nil)

// patient waits for its own entries for ever.
var patient = cluster.Options{LogPatience: time.Minute}
