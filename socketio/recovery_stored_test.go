package socketio_test

import (
	"context"
	"iter"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/socketio/parser"
)

// stored is the in-memory adapter with sessions as one has them that keeps them
// elsewhere: as JSON.
type stored struct {
	adapters.Recoverer
	local adapters.Local
	saves journal
}

// wrapped is a factory; f sees each adapter.
func wrapped(f func(s *stored) adapters.Adapter) adapters.Factory {
	return func(l adapters.Local) (adapters.Adapter, error) {
		a, err := memory.New()(l)
		if err != nil {
			return nil, err
		}
		return f(&stored{Recoverer: a.(adapters.Recoverer), local: l}), nil
	}
}

// Save implements adapters.Recoverer.
func (st *stored) Save(m adapters.Member, s adapters.Session) {
	if s.Values != nil {
		s.Data, _ = s.Values.MarshalJSON()
		s.Values = nil
	}
	kind := "save"
	if m == nil {
		kind = "lost"
	}
	st.saves.add("%s %s [%s]", kind, s.PID, s.Data)
	st.Recoverer.Save(m, s)
}

// Restore implements adapters.Recoverer.
func (st *stored) Restore(ctx context.Context, pid, offset string, admit func(adapters.Session) adapters.Member) (iter.Seq[*parser.Packet], error) {
	return st.Recoverer.Restore(ctx, pid, offset, admit)
}
