package socketio_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/socketio"
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

// slow is an adapter whose broadcasts come back a little later, as from a store.
type slow struct {
	adapters.Recoverer
	waiting sync.WaitGroup
}

// Broadcast implements adapters.Adapter.
func (a *slow) Broadcast(p *parser.Packet, t adapters.Target) error {
	q := *p
	q.JSON, t.Rooms = slices.Clone(p.JSON), slices.Clone(t.Rooms)
	a.waiting.Add(1)
	time.AfterFunc(20*time.Millisecond, func() {
		defer a.waiting.Done()
		_ = a.Recoverer.Broadcast(&q, t) // never an error
	})
	return nil
}

// Flush implements adapters.Flusher.
func (a *slow) Flush(context.Context) { a.waiting.Wait() }

// With recovery over several nodes a socket was disconnected before what had been
// sent to it just before came back from the store: it never got it.
func TestDisconnectAfterEmit(t *testing.T) {
	cfg := socketio.Config{Recovery: &socketio.Recovery{}}
	cfg.Adapter = wrapped(func(s *stored) adapters.Adapter { return &slow{Recoverer: s} })
	run(t, cfg, func(r *rig) {
		for _, closeConn := range []bool{false, true} {
			g := r.comeBack(nil)
			s := g.socket()
			must(r.T, s.Emit("bye"))
			s.Disconnect(closeConn)
			g.hear("what was sent before", `["bye"]`)
			g.want("41", "then it leaves")
			g.hangUp()
		}
	})
}

// failing is an adapter whose store has no sessions, or is out of order.
type failing struct {
	*stored
	err error
}

// Restore implements adapters.Recoverer.
func (a failing) Restore(context.Context, string, string, func(adapters.Session) adapters.Member) (iter.Seq[*parser.Packet], error) {
	return nil, a.err
}

// That no session could be restored, because the store was out of order, was told
// nobody.
func TestRestoreFailureIsLogged(t *testing.T) {
	for err, lines := range map[error]int{errors.New("no permission"): 1, adapters.ErrNoSession: 0} {
		var out bytes.Buffer
		cfg := socketio.Config{Recovery: &socketio.Recovery{}, Log: slog.New(slog.NewTextHandler(&out, nil))}
		cfg.Adapter = wrapped(func(s *stored) adapters.Adapter { return failing{s, err} })
		runWebSocket(t, cfg, func(r *rig) {
			for range 3 {
				g := r.comeBack(nil)
				g.lose()
				if r.comeBack(g); g.recovered {
					r.Error("it is restored")
				}
				g.lose()
			}
		})
		if n := strings.Count(out.String(), `level=WARN msg="session not restored" err="no permission" nsp=/ skipped=0`); n != lines {
			t.Errorf("%v: %d lines, want %d:\n%s", err, n, lines, &out)
		}
	}
}
