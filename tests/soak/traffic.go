package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/hermod-io/hermod/socketio"
)

// callTimeout bounds the wait for an ack over one connection. Nothing should take
// so long.
const callTimeout = 2 * time.Minute

// traffic is what the server does by itself, until ctx ends.
type traffic struct {
	apps []*app
	seed uint64
	wg   sync.WaitGroup
}

// Events a second, of each client and of each room, on a machine that keeps up.
const (
	rateUni  = 0.5
	rateAsk  = 0.1
	rateKick = 1.0 / 120
	rateRoom = 0.5
	ratePair = 0.1
)

// Bytes with an event: one in so many has some, and one in so many is large. The
// latter are also bounded in time.
const (
	oneBinary = 8
	oneLarge  = 200
	gapLarge  = 500 * time.Millisecond
)

// start starts several goroutines for each server, so that there is something
// to be out of order.
func (t *traffic) start(ctx context.Context) {
	for i, a := range t.apps {
		for j := range 3 {
			rnd := rand.New(rand.NewPCG(t.seed, uint64(100*i+j)))
			t.wg.Go(func() { t.run(ctx, a, rnd, 3) })
		}
	}
}

// run does a share of the traffic of an app, every 10 ms what is due by a clock
// that a slow machine holds up.
func (t *traffic) run(ctx context.Context, a *app, rnd *rand.Rand, shares float64) {
	c := clock{tick: 10 * time.Millisecond}
	tick := time.NewTicker(c.tick)
	defer tick.Stop()
	kinds := []struct {
		rate float64
		f    func()
		done int
	}{
		{rate: rateUni * float64(len(a.slots)), f: func() { a.emitUni(a.anyone(rnd), size(rnd)) }},
		{rate: rateAsk * float64(len(a.slots)), f: func() { t.ask(ctx, a, a.anyone(rnd)) }},
		{rate: rateKick * float64(len(a.slots)), f: func() { a.kick(a.anyone(rnd), rnd.IntN(2) == 0) }},
		{rate: rateRoom * float64(len(a.rooms)), f: func() { a.emitRoom(rnd.IntN(len(a.rooms)), size(rnd)) }},
		{rate: ratePair * float64(len(a.rooms)), f: func() { a.emitPair(rnd.IntN(len(a.rooms)), rnd.IntN(len(a.rooms))) }},
	}
	var large time.Duration
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := c.advance(time.Now())
		since := now.Seconds()
		for i := range kinds {
			k := &kinds[i]
			for due := int(since * k.rate / shares); k.done < due && ctx.Err() == nil; k.done++ {
				k.f()
			}
		}
		if now-large > gapLarge {
			large = now
			a.emitUni(a.anyone(rnd), 65<<10+rnd.IntN(100<<10))
		}
	}
}

// size draws the number of bytes that go with an event.
func size(rnd *rand.Rand) int {
	if rnd.IntN(oneBinary) == 0 {
		return 1 + rnd.IntN(2000)
	}
	return 0
}

func (a *app) anyone(rnd *rand.Rand) *slot { return a.slots[1+rnd.IntN(len(a.slots)-1)] }

// emit sends an event with bytes, if there are any.
func emit(f func(string, ...any) error, name string, n note) error {
	if n.Size > 0 {
		return f(name, n, payload(n.N, n.Size))
	}
	return f(name, n)
}

func (a *app) emitUni(sl *slot, size int) {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	if sl.cur != nil && a.sent(emit(sl.cur.Emit, evUni, note{N: sl.uni, Size: size})) {
		sl.uni++
	}
}

func (a *app) emitRoom(i, size int) {
	r := a.rooms[i]
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.plant > 0 && r.next%uint64(a.plant) == 0 {
		r.next++ // as if it were lost
		return
	}
	if a.sent(emit(a.srv.To(r.name).Emit, evRoom, note{Room: r.name, N: r.next, Size: size})) {
		r.next++
	}
}

// emitPair sends to two rooms at once; who is in both gets it once.
func (a *app) emitPair(i, j int) {
	if i == j {
		return
	}
	r, q := a.rooms[min(i, j)], a.rooms[max(i, j)]
	r.mu.Lock()
	defer r.mu.Unlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	if a.sent(a.srv.To(r.name, q.name).Emit(evPair, note{Room: r.name, N: r.next, Room2: q.name, N2: q.next})) {
		r.next++
		q.next++
	}
}

func (a *app) kick(sl *slot, closeConn bool) {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	if sl.cur != nil && sl.cur.Connected() {
		sl.kicked = true
		sl.cur.Disconnect(closeConn)
		sl.cur = nil
	}
}

// ask asks a client something, unless it is being asked already. The goroutine
// ends with the answer, with the connection, or with the timeout.
func (t *traffic) ask(ctx context.Context, a *app, sl *slot) {
	sl.mu.Lock()
	s := sl.cur
	if s == nil || sl.asking {
		sl.mu.Unlock()
		return
	}
	sl.asking = true
	sl.asked++
	n := sl.asked
	sl.mu.Unlock()
	t.wg.Go(func() {
		a.question(context.WithoutCancel(ctx), sl, s, n)
		sl.mu.Lock()
		sl.asking = false
		sl.mu.Unlock()
	})
}

func (a *app) question(ctx context.Context, sl *slot, s *socketio.Socket, n uint64) {
	got, err := s.EmitWithAck(ctx, evAsk, note{N: n})
	if err != nil {
		if !errors.Is(err, net.ErrClosed) && !errors.Is(err, socketio.ErrQueueFull) {
			a.complain("client %d: question %d: %v", sl.number, n, err)
		}
		return
	}
	a.out.Add(1)
	var answer note
	if err := got.Decode(0, &answer); err != nil || answer.N != reply(n) {
		a.complain("client %d: question %d was answered with %v %v", sl.number, n, answer, err)
	}
}
