package adaptertest

import (
	"sync"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// delivery is a packet that a member got.
type delivery struct {
	event string // its arguments, as text
	flags adapters.Flags
}

// member is the fake of a socket: it keeps what it is given.
type member struct {
	id   string
	node int
	data string // JSON text, "" for none
	news *signal

	mu         sync.Mutex // guards what follows
	pending    bool       // not connected: passed over by Deliver and the operators
	fence      bool       // takes fences only, see settle
	got        []delivery
	counts     map[string]int      // of got, by event
	asks       []func(parser.Args) // answers to give, one for each packet that asked for an ack
	disconnect []bool              // the arguments of the calls of Disconnect

	onSupersede func() // if set, called by Supersede
}

var _ adapters.Member = (*member)(nil)

func (m *member) ID() string { return m.id }

func (m *member) Info() adapters.SocketInfo {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pending {
		return adapters.SocketInfo{}
	}
	info := adapters.SocketInfo{
		ID: m.id,
		Handshake: adapters.Handshake{
			Headers: map[string]string{"x-member": m.id},
			Address: "127.0.0.1",
			Issued:  1700000000000,
			URL:     "/socket.io/?EIO=4",
			Query:   map[string]string{"EIO": "4"},
			Auth:    []byte(`{"token":"` + m.id + `"}`),
		},
	}
	if m.data != "" {
		info.Data = []byte(m.data)
	}
	return info
}

func (m *member) Pending() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pending
}

func (m *member) Disconnect(closeConn bool) {
	m.mu.Lock()
	m.disconnect = append(m.disconnect, closeConn)
	m.mu.Unlock()
	m.news.fire()
}

// Supersede makes the member's end known to who watches for it.
func (m *member) Supersede() {
	m.mu.Lock()
	f := m.onSupersede
	m.mu.Unlock()
	if f != nil {
		f()
	}
}

// take is the delivery of a packet; it reports whether m was there to take it.
func (m *member) take(d delivery) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pending || m.fence && !isFence(d.event) {
		return false
	}
	if isFence(d.event) {
		d.event = plainFence(d.event)
	}
	if m.counts == nil {
		m.counts = make(map[string]int)
	}
	m.got = append(m.got, d)
	m.counts[d.event]++
	return true
}

// deliveries returns what m got so far, without the suite's own fences.
func (m *member) deliveries() []delivery {
	m.mu.Lock()
	defer m.mu.Unlock()
	var got []delivery
	for _, d := range m.got {
		if !isFence(d.event) {
			got = append(got, d)
		}
	}
	return got
}

// count returns how many times m got the packet with that event.
func (m *member) count(event string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts[event]
}

func (m *member) setPending(pending bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pending = pending
}

// asked returns how many answers m owes.
func (m *member) asked() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.asks)
}

// answer answers the oldest packet that asked m for an ack.
func (m *member) answer(json string) {
	m.mu.Lock()
	f := m.asks[0]
	m.asks = m.asks[1:]
	m.mu.Unlock()
	f(parser.Args{JSON: []byte(json)})
}

func (m *member) disconnects() []bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]bool(nil), m.disconnect...)
}
