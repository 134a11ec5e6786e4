package adaptertest

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/hermod-io/hermod/adapters"
)

// SeedVariable is the environment variable that sets the seed of the model
// test. Each run prints its own; the same seed gives the same operations, each
// worker's in the same order (how workers interleave is up to the scheduler).
const SeedVariable = "HERMOD_ADAPTERTEST_SEED"

const (
	modelWorkers = 4
	modelMembers = 4 // per worker
	modelRounds  = 6
	modelSteps   = 120 // per worker and round
)

// Of a hundred steps 58 join or leave. In a sparse round so few are joins that
// rooms often have no or one member, in a crowded one many members are in
// several rooms.
const (
	sparse  = 15
	crowded = 32
)

// modelRooms are few, so that workers meet in them.
var modelRooms = []string{"r0", "r1", "r2", "r3", "r4"}

// run is one run of the model test. Workers act on members of their own, at the
// same time; what they did is compared with the model between rounds, when all
// are at rest.
type run struct {
	c       *cluster
	clock   atomic.Int64
	workers []*worker
}

// worker is one goroutine's part of a run; it belongs to that goroutine during
// a round, and to the run's between rounds.
type worker struct {
	run       *run
	rnd       *rand.Rand
	actors    []*actor // alive
	gone      []*actor
	emissions []emission
}

func model(c *cluster) {
	seed := modelSeed(c)
	c.t.Logf("seed %d (repeat with %s=%d)", seed, SeedVariable, seed)
	r := &run{c: c}
	for _, m := range c.fences {
		c.join(m, modelRooms...)
	}
	for i := range modelWorkers {
		w := &worker{run: r, rnd: rand.New(rand.NewPCG(seed, uint64(i)))}
		for j := range modelMembers {
			w.actors = append(w.actors, w.enter(i+j))
		}
		r.workers = append(r.workers, w)
	}
	for round := 0; round < modelRounds && !c.t.Failed(); round++ {
		joins := crowded
		if round%2 == 0 {
			joins = sparse
		}
		var all sync.WaitGroup
		for _, w := range r.workers {
			all.Go(func() { w.play(joins) })
		}
		all.Wait()
		c.settle(modelRooms...)
		r.check()
	}
}

func modelSeed(c *cluster) uint64 {
	text := os.Getenv(SeedVariable)
	if text == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		c.t.Fatalf("%s: %v", SeedVariable, err)
	}
	return seed
}

// play takes the steps of one round, joins in a hundred of them joins.
func (w *worker) play(joins int) {
	for range modelSteps {
		i := w.rnd.IntN(len(w.actors))
		a := w.actors[i]
		switch p := w.rnd.IntN(100); {
		case p < joins:
			w.join(a, w.some(1, 2))
		case p < 58:
			w.leave(a, w.some(1, 2))
		case p < 62:
			w.moveBySelf(a, w.some(1, 1)[0], w.rnd.IntN(2) == 0)
		case p < 67:
			w.disconnect(a)
			w.gone = append(w.gone, a)
			w.actors[i] = w.enter(a.m.node + w.rnd.IntN(2))
		case p < 70:
			w.look(a.m.node)
		default:
			w.emit()
		}
	}
}

// some returns min to max different rooms.
func (w *worker) some(min, max int) []string {
	rooms := slices.Clone(modelRooms)
	w.rnd.Shuffle(len(rooms), func(i, j int) { rooms[i], rooms[j] = rooms[j], rooms[i] })
	return rooms[:min+w.rnd.IntN(max-min+1)]
}

// enter makes a member in its own room.
func (w *worker) enter(node int) *actor {
	a := newActor(w.run.c.newMember(node % len(w.run.c.nodes)))
	w.join(a, []string{a.m.id})
	return a
}

func (w *worker) join(a *actor, rooms []string) {
	begin := w.run.clock.Add(1)
	if err := w.run.c.nodes[a.m.node].Join(w.run.c.ctx, a.m, rooms...); err != nil {
		w.run.c.t.Errorf("Join(%s, %q): %v", a.m.id, rooms, err)
	}
	a.log(begin, w.run.clock.Add(1), true, slices.Concat(rooms, []string{inNamespace})...)
}

func (w *worker) leave(a *actor, rooms []string) {
	begin := w.run.clock.Add(1)
	w.run.c.nodes[a.m.node].Leave(a.m, rooms...)
	a.log(begin, w.run.clock.Add(1), false, rooms...)
}

// moveBySelf is a join or a leave by way of the socket's own room.
func (w *worker) moveBySelf(a *actor, room string, in bool) {
	node := w.run.c.nodes[a.m.node]
	f := node.SocketsLeave
	if in {
		f = node.SocketsJoin
	}
	begin := w.run.clock.Add(1)
	if err := f(w.run.c.ctx, adapters.Target{Rooms: []string{a.m.id}, Flags: adapters.Flags{Local: true}}, room); err != nil {
		w.run.c.t.Errorf("SocketsJoin or SocketsLeave(%s, %q): %v", a.m.id, room, err)
	}
	a.log(begin, w.run.clock.Add(1), in, room)
}

func (w *worker) disconnect(a *actor) {
	begin := w.run.clock.Add(1)
	w.run.c.nodes[a.m.node].LeaveAll(a.m)
	a.log(begin, w.run.clock.Add(1), false, a.everywhere()...)
}

// look fetches while others move: whatever is found, nobody is found twice.
func (w *worker) look(node int) {
	infos, err := w.run.c.nodes[node].Fetch(w.run.c.ctx, adapters.Target{Rooms: w.some(0, 2)})
	if err != nil {
		w.run.c.t.Errorf("Fetch: %v", err)
	}
	seen := map[string]bool{}
	for _, info := range infos {
		if seen[info.ID] {
			w.run.c.t.Errorf("Fetch found %s twice", info.ID)
		}
		seen[info.ID] = true
	}
}

// emit broadcasts to up to three rooms, sockets among them, but up to two.
func (w *worker) emit() {
	t := adapters.Target{Rooms: w.some(0, 3), Except: w.some(0, 2)}
	if w.rnd.IntN(4) == 0 {
		t.Rooms = append(t.Rooms, w.actors[w.rnd.IntN(len(w.actors))].m.id)
	}
	switch w.rnd.IntN(3) {
	case 0:
		t.Except = nil
	case 1:
		t.Except = []string{w.actors[w.rnd.IntN(len(w.actors))].m.id}
	}
	t.Flags.Local = w.rnd.IntN(8) == 0
	e := emission{node: w.rnd.IntN(len(w.run.c.nodes)), target: t}
	p := w.run.c.packet()
	e.event = string(p.JSON)
	e.begin = w.run.clock.Add(1)
	if err := w.run.c.nodes[e.node].Broadcast(p, t); err != nil {
		w.run.c.t.Errorf("Broadcast(%+v): %v", t, err)
	}
	e.end = w.run.clock.Add(1)
	w.emissions = append(w.emissions, e)
}
