package adaptertest

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/socketio/parser"
)

// A suite that was never seen red proves nothing. Each plant is the in-memory
// adapter with a bug that a real adapter had; the suite must find it, both by
// its named case and by the model test.

var plants = []struct {
	name  string
	plant func(adapters.Adapter) adapters.Adapter
	found []string // the cases that must fail
}{
	{"LosesJoinAtLastLeave", plantLostJoin, []string{"JoinRacesLastLeave", "Model"}},
	{"DeliversTwiceToMemberOfTwoRooms", plantTwice, []string{"UnionOnceEach", "Model"}},
	{"IgnoresExcept", plantNoExcept, []string{"Except", "ExceptSocket", "Model"}},
	{"KeepsARestoredSession", plantKept, []string{"RecoveryConsumes"}},
	{"JoinsAfterLookingAtTheLog", plantGap, []string{"RecoveryNeitherGapNorTwice"}},
	{"BeginsWithTheOffsetItself", plantInclusive, []string{"RecoveryRestores", "RecoveryNeitherGapNorTwice"}},
}

func TestPlantedBugsAreFound(t *testing.T) {
	t.Parallel()
	for _, p := range plants {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			cfg := memoryWith(p.plant, 4*short)
			red := runRecorded(cfg)
			for _, name := range p.found {
				for tries := 1; red[name] == nil && tries < 100; tries++ { // a race may take many runs to show on a busy machine
					if r := recordCase(cfg, name, 1); r.Failed() {
						red[name] = r
					}
				}
				if red[name] == nil {
					t.Errorf("the case %s is green", name)
				}
			}
			for name, r := range red {
				t.Logf("red: %s: %s", name, r.said[len(r.said)-1])
			}
		})
	}
}

// TestNothingIsFoundInMemory is the counterpart: without a bug the same runs
// are green.
func TestNothingIsFoundInMemory(t *testing.T) {
	t.Parallel()
	same := func(a adapters.Adapter) adapters.Adapter { return a }
	for name, r := range runRecorded(memoryWith(same, 0)) {
		t.Errorf("red: %s: %q", name, r.said)
	}
}

// recordCase runs one case of the suite.
func recordCase(cfg Config, name string, nodes int) *recorder {
	cases := suite()
	i := slices.IndexFunc(cases, func(c testCase) bool { return c.name == name })
	return record(func(t testing.TB) { cases[i].run(t, cfg, nodes) })
}

// runRecorded runs the suite on one node and returns what failed.
func runRecorded(cfg Config) map[string]*recorder {
	red := map[string]*recorder{}
	for _, c := range suite() {
		if r := record(func(t testing.TB) { c.run(t, cfg, 1) }); r.Failed() {
			red[c.name] = r
		}
	}
	return red
}

func memoryWith(plant func(adapters.Adapter) adapters.Adapter, patience time.Duration) Config {
	return Config{
		New: func(t testing.TB, locals []adapters.Local) []adapters.Adapter {
			a, err := memory.New()(locals[0])
			if err != nil {
				t.Fatal(err)
			}
			return []adapters.Adapter{plant(a)}
		},
		patience: patience,
	}
}

// lostJoin looks whether a room is empty and removes it in two steps. Who joins
// between them is removed with it.
type lostJoin struct {
	adapters.Adapter
	mu    sync.Mutex // guards what follows
	rooms map[string]map[adapters.Member]bool
}

func plantLostJoin(a adapters.Adapter) adapters.Adapter {
	return &lostJoin{Adapter: a, rooms: map[string]map[adapters.Member]bool{}}
}

func (l *lostJoin) Join(ctx context.Context, m adapters.Member, rooms ...string) error {
	l.mu.Lock()
	for _, r := range rooms {
		if l.rooms[r] == nil {
			l.rooms[r] = map[adapters.Member]bool{}
		}
		l.rooms[r][m] = true
	}
	l.mu.Unlock()
	return l.Adapter.Join(ctx, m, rooms...)
}

func (l *lostJoin) Leave(m adapters.Member, rooms ...string) {
	l.Adapter.Leave(m, rooms...)
	for _, r := range rooms {
		l.mu.Lock()
		delete(l.rooms[r], m)
		l.mu.Unlock()
		if !l.empty(r) {
			continue
		}
		for i := 0; i < 200 && l.empty(r); i++ { // so that it does not take thousands of attempts
			runtime.Gosched()
		}
		l.mu.Lock()
		for late := range l.rooms[r] {
			for i := 0; i < 200 && !slices.Contains(l.Adapter.RoomsOf(late), r); i++ { // who is only about to join loses nothing
				runtime.Gosched()
			}
			l.Adapter.Leave(late, r)
		}
		delete(l.rooms, r)
		l.mu.Unlock()
	}
}

func (l *lostJoin) empty(room string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.rooms[room]) == 0
}

func (l *lostJoin) LeaveAll(m adapters.Member) {
	l.Leave(m, l.RoomsOf(m)...)
	l.Adapter.LeaveAll(m)
}

// twice delivers to one room after the other.
type twice struct{ adapters.Adapter }

func plantTwice(a adapters.Adapter) adapters.Adapter { return twice{a} }

func (tw twice) Broadcast(p *parser.Packet, t adapters.Target) error {
	if len(t.Rooms) == 0 {
		return tw.Adapter.Broadcast(p, t)
	}
	for _, r := range t.Rooms {
		one := t
		one.Rooms = []string{r}
		if err := tw.Adapter.Broadcast(p, one); err != nil {
			return err
		}
	}
	return nil
}

// noExcept reaches those it should pass over.
type noExcept struct{ adapters.Adapter }

func plantNoExcept(a adapters.Adapter) adapters.Adapter { return noExcept{a} }

func (n noExcept) Broadcast(p *parser.Packet, t adapters.Target) error {
	t.Except = nil
	return n.Adapter.Broadcast(p, t)
}
