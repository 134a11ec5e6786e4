package engineio

import "sync"

// sessions finds sessions by id.
type sessions struct {
	mu   sync.RWMutex // guards what follows
	byID map[string]*Session
}

func (m *sessions) get(id string) *Session {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.byID[id]
}

func (m *sessions) add(s *Session) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byID[s.id] != nil {
		return false
	}
	m.byID[s.id] = s
	return true
}

func (m *sessions) remove(s *Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.byID, s.id)
}

func (m *sessions) len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.byID)
}

func (m *sessions) all() []*Session {
	m.mu.RLock()
	defer m.mu.RUnlock()
	list := make([]*Session, 0, len(m.byID))
	for _, s := range m.byID {
		list = append(list, s)
	}
	return list
}
