package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"
)

// peer is a client of some make, which tells its ledger what happens to it. Its
// methods may be called from any goroutine.
type peer interface {
	// open begins to connect, and to connect again after each loss.
	open()
	// disconnect leaves the namespace, on purpose, within ledger.quiet.
	disconnect()
	// close disconnects for ever and waits until nothing of the peer runs.
	close() error
	// emit sends an event, or keeps it until there is a connection. false means
	// that it was refused.
	emit(name string, n note, bytes []byte) bool
	// ask sends an event and waits for the ack. The error satisfies
	// errors.Is(err, net.ErrClosed) if the connection was lost meanwhile.
	ask(ctx context.Context, name string, n note, bytes []byte) (note, error)
}

// kind is a kind of clients.
type kind struct {
	name  string
	app   int
	make  func(l *ledger, slot int) (peer, error)
	share int // how many clients of a hundred, about
}

// client is one client and what it does.
type client struct {
	kind   *kind
	slot   int
	rnd    *rand.Rand
	ledger *ledger
	peer   peer
	faults *faults
	gov    *governor // of all clients
	rooms  int       // how many there are

	up    uint64        // the next number
	calls [lanes]uint64 // the last numbers, of whoever has the lane
	free  chan int      // lanes that nobody has
}

// pace is the mean time between two things that a client does, on a machine that
// keeps up.
const pace = time.Second

func newClient(k *kind, slot int, seed uint64, rooms int, l *ledger, gov *governor) (*client, error) {
	c := &client{kind: k, slot: slot, rnd: rand.New(rand.NewPCG(seed, uint64(slot))), ledger: l, faults: l.faults, gov: gov, rooms: rooms,
		up: 1, free: make(chan int, lanes)}
	for i := range lanes {
		c.free <- i
	}
	var err error
	c.peer, err = k.make(l, slot)
	return c, err
}

// run does things at random until ctx ends, then compares the final numbers and
// closes, unless there is something wrong already.
func (c *client) run(ctx context.Context) {
	c.peer.open()
	for c.rest(ctx) {
		if err := c.act(ctx); err != nil {
			c.complain("%v", err)
			break
		}
	}
	for range lanes { // those under way
		<-c.free
	}
	if c.faults.count() == 0 {
		c.sum()
	}
	if err := c.peer.close(); err != nil {
		c.complain("close: %v", err)
	}
}

func (c *client) complain(format string, args ...any) {
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	c.ledger.complain(format, args...)
}

// rest waits for some time and reports whether to go on.
func (c *client) rest(ctx context.Context) bool {
	d := c.gov.stretch(time.Duration(c.rnd.ExpFloat64() * float64(pace)))
	until := time.Now().Add(d)
	if !wait(ctx, nil, d) {
		return false
	}
	c.gov.note(time.Since(until))
	return true
}

// started waits until the client has joined for the first time, or for so long
// that the next ones should not wait for it. Whether it ever joins is seen at the
// end.
func (c *client) started(ctx context.Context) {
	late := time.NewTimer(callTimeout)
	defer late.Stop()
	select {
	case <-c.ledger.first:
	case <-ctx.Done():
	case <-late.C:
	}
}

// act does something.
func (c *client) act(ctx context.Context) error {
	switch n := c.rnd.IntN(1000); {
	case n < 500:
		c.emitUp()
	case n < 750:
		c.call(ctx, evCall, note{Size: size(c.rnd)})
	case n < 880:
		c.call(ctx, evJoin, note{Room: roomName(c.rnd.IntN(c.rooms))})
	case n < 960:
		c.call(ctx, evLeave, note{Room: roomName(c.rnd.IntN(c.rooms))})
	case n < 980:
		c.comeAndGo(ctx)
	default:
		return c.renew()
	}
	return nil
}

// emitUp emits, several at a time now and then.
func (c *client) emitUp() {
	for range 1 + c.rnd.IntN(3)*c.rnd.IntN(3) {
		n := note{N: c.up, Size: size(c.rnd)}
		if c.rnd.IntN(oneLarge) == 0 {
			n.Size = 65<<10 + c.rnd.IntN(100<<10)
		}
		if !c.peer.emit(evUp, n, payload(n.N, n.Size)) {
			return
		}
		c.up++
		c.ledger.change(func(t *tally) { t.Up++ })
	}
}

// call asks, if there is a lane for it, and leaves the lane with the answer.
func (c *client) call(ctx context.Context, name string, n note) {
	var lane int
	select {
	case lane = <-c.free:
	default:
		return
	}
	c.calls[lane]++
	if n.N = c.calls[lane]; name != evCall {
		c.calls[lane]-- // it is not in the stream
	}
	n.Lane = lane
	p := c.peer // renew may come first
	go func() { // ends with the answer, the connection, or the timeout; run waits for it
		c.question(context.WithoutCancel(ctx), p, name, n)
		c.free <- lane
	}()
}

// errOverdue ends a question that should have had an answer.
var errOverdue = errors.New("no answer")

// question asks. Without an answer there must have been a loss.
func (c *client) question(ctx context.Context, p peer, name string, n note) bool {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go c.awaitOverdue(ctx, cancel)
	answer, err := p.ask(ctx, name, n, payload(n.N, n.Size))
	switch {
	case err == nil && answer.N != reply(n.N):
		c.complain("%s %v was answered with %v", name, n, answer)
		return false
	case err == nil:
		c.ledger.change(func(t *tally) { t.Calls++ })
		return true
	case context.Cause(ctx) == context.DeadlineExceeded: // of who asks, who complains
	case !errors.Is(err, net.ErrClosed):
		c.complain("%s %v: %v", name, n, err)
	}
	c.ledger.change(func(t *tally) { t.CallsLost++ })
	return false
}

// awaitOverdue ends a question with errOverdue when it should have been answered:
// after callTimeout, and so long on one connection. Without one nothing is due.
// It ends with ctx.
func (c *client) awaitOverdue(ctx context.Context, end context.CancelCauseFunc) {
	for rest := callTimeout; wait(ctx, nil, rest); {
		if rest = callTimeout - c.ledger.connectedFor(); rest <= 0 {
			end(errOverdue)
		}
	}
}

// comeAndGo disconnects and connects again.
func (c *client) comeAndGo(ctx context.Context) {
	c.peer.disconnect()
	wait(ctx, nil, time.Duration(c.rnd.IntN(1000))*time.Millisecond)
	c.ledger.speak()
	c.peer.open()
}

// renew closes the peer and makes another.
func (c *client) renew() error {
	if err := c.peer.close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	c.ledger.renewed()
	var err error
	if c.peer, err = c.kind.make(c.ledger, c.slot); err != nil {
		return err
	}
	c.peer.open()
	return nil
}

// sum compares the final numbers. Some connections may still be lost, so it
// tries again.
func (c *client) sum() {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	for ctx.Err() == nil {
		c.peer.open()
		if c.question(ctx, c.peer, evTotal, note{N: c.up}) {
			select {
			case <-c.ledger.sums:
				return
			case <-time.After(time.Second): // it was lost with a connection, after the ack
			}
		} else {
			wait(ctx, nil, 100*time.Millisecond)
		}
	}
	c.complain("no final numbers")
}
