package cluster

import "context"

// claim is a Restore that is under way. It belongs to who holds ledger.mu.
type claim struct {
	done  chan struct{} // closed at its end
	taken bool          // the session may belong to this node by now
}

// reserve makes a claim, behind another one of the same session. The error is
// that of ctx.
func (l *ledger) reserve(ctx context.Context, pid string) (*claim, error) {
	for {
		l.mu.Lock()
		other := l.claims[pid]
		if other == nil && ctx.Err() == nil {
			c := &claim{done: make(chan struct{})}
			l.claims[pid] = c
			l.mu.Unlock()
			return c, nil
		}
		l.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		select {
		case <-other.done:
		case <-ctx.Done():
		}
	}
}

// taking notes whether the session may belong to this node from now on.
func (l *ledger) taking(pid string, taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.claims[pid].taken = taken
}

// release ends a claim.
func (l *ledger) release(pid string, c *claim) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.claims, pid)
	close(c.done)
}
