package engineio

import (
	"slices"
	"sync"

	"github.com/hermod-io/hermod/internal/shrink"
)

// sessions finds sessions by id.
type sessions struct {
	mu   sync.RWMutex // guards what follows
	byID shrink.Map[string, *Session]
}

func (m *sessions) get(id string) *Session {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.byID.Get(id)
}

func (m *sessions) add(s *Session) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byID.Get(s.id) != nil {
		return false
	}
	m.byID.Set(s.id, s)
	return true
}

func (m *sessions) remove(s *Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.byID.Delete(s.id)
}

func (m *sessions) len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.byID.Len()
}

func (m *sessions) all() []*Session {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.AppendSeq(make([]*Session, 0, m.byID.Len()), m.byID.Values())
}
