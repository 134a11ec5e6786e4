package redisadapter

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hermod-io/hermod/adapters/cluster"
)

// moved knows into which rooms sockets of other nodes were put a moment ago, by this
// node or by others. Those nodes subscribe the channel of the room only now, so that
// a broadcast behind it would be lost there: it goes to the channel for all.
type moved struct {
	until atomic.Int64 // Unix nanoseconds, until which something may be in rooms; 0: nothing is

	mu    sync.Mutex // guards what follows
	rooms map[string]int64
	every int64 // until when each room counts as one of them
}

const (
	// movedFor is how long nodes are given to subscribe.
	movedFor = 5 * time.Second
	// maxMoved is how many rooms are told apart.
	maxMoved = 4096
)

// note notes the rooms of a SocketsJoin that is sent or was received.
func (m *moved) note(msg *cluster.Message) {
	if msg.Type == cluster.SocketsJoin {
		m.add(msg.Rooms, time.Now())
	}
}

// add notes rooms.
func (m *moved) add(rooms []string, now time.Time) {
	until := now.Add(movedFor).UnixNano()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rooms == nil || m.until.Load() < now.UnixNano() {
		m.rooms = make(map[string]int64)
	}
	for _, room := range rooms {
		if _, known := m.rooms[room]; !known && len(m.rooms) >= maxMoved {
			m.every = until
			break
		}
		m.rooms[room] = until
	}
	m.until.Store(until)
}

// has reports whether a room is one of them.
func (m *moved) has(room string) bool {
	until := m.until.Load()
	if until == 0 {
		return false
	}
	now := time.Now().UnixNano()
	m.mu.Lock()
	defer m.mu.Unlock()
	if now > m.until.Load() {
		m.rooms = nil
		m.until.Store(0)
		return false
	}
	return now <= m.rooms[room] || now <= m.every
}
