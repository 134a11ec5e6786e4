package wscore

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Runner is what [Conn.RunNext] takes.
type Runner interface {
	// Run is called once. It may block, and may end its goroutine; a panic is not
	// recovered.
	Run()
}

// RunNext has the reader's goroutine run r once all that came with the message
// that is being handled has been handed to the protocol, which spares waking
// another goroutine. Nothing is read meanwhile: if r takes 5 to 10 ms, or at
// [Conn.ReadOn], another goroutine goes on reading; from then on r may run at the
// same time as OnMessage and OnClose. If the connection ends with what was read, r
// gets a goroutine of its own.
//
// RunNext reports false, and r is not run, if the reader hands on nothing at
// present, is to run something already, or has read but a few times; so it is meant for
// Protocol.OnMessage. It does not block. Server.Close does not wait for r.
func (c *Conn) RunNext(r Runner) bool {
	word := c.next.word.Load()
	if word&nextMask != nextHanding || !c.next.word.CompareAndSwap(word, as(word, nextClaimed)) {
		return false
	}
	c.grp.lookout.add(c, r)
	c.next.word.Store(as(word, nextPending))
	return true
}

// ReadOn is to be called by who may block within what [Conn.RunNext] has run, or in
// front of it: another goroutine reads from now on, or runs what was to be run. It
// may be called from any goroutine at any time, and does not block.
func (c *Conn) ReadOn() {
	word := c.next.word.Load()
	switch word & nextMask {
	case nextPending:
		if r := c.next.steal(c, word); r != nil {
			go r.Run() // who gave it knows of its end
		}
	case nextRunning:
		if c.next.word.CompareAndSwap(word, as(word+nextTurn, nextNone)) {
			c.grp.lookout.remove(c)
			c.grp.goFunc(c.serve)
			c.grp.ended() // who runs it is no reader any more
		}
	}
}

// next says whether the reader runs something behind what it hands on. Who takes
// the state from running to none is the reader from then on, or starts it. The
// count tells a reader that it was another one's turn that ended; should it come
// round within one Run, one of the two still reads, and the other does not.
type next struct {
	word atomic.Uint32 // a state, and how often another goroutine went on reading
	slot int32         // in the lookout, whose mu guards it; there is what it runs
}

const (
	nextNone    = iota
	nextHanding // messages are handed on: something may be run next
	nextClaimed // for the moment that it takes to say what
	nextPending // something is
	nextRunning
	nextMask = 7
	nextTurn = nextMask + 1
)

// as is word with another state.
func as(word, state uint32) uint32 { return word&^nextMask | state }

// begin lets something be run next.
func (n *next) begin() { n.word.Store(as(n.word.Load(), nextHanding)) }

// settle ends that, and returns what is to be run next with the word of its turn,
// or nil.
func (n *next) settle(c *Conn) (r Runner, word uint32) {
	for {
		word = n.word.Load()
		switch word & nextMask {
		case nextNone:
			return nil, 0
		case nextHanding:
			if n.word.CompareAndSwap(word, as(word, nextNone)) {
				return nil, 0
			}
		case nextPending:
			if n.word.CompareAndSwap(word, as(word, nextClaimed)) {
				r, word = c.grp.lookout.of(c), as(word, nextRunning)
				n.word.Store(word)
				return r, word
			}
		default: // somebody is about to say what, or to take it
			runtime.Gosched()
		}
	}
}

// steal takes what is pending, or nil if somebody else did.
func (n *next) steal(c *Conn, word uint32) Runner {
	if !n.word.CompareAndSwap(word, as(word, nextClaimed)) {
		return nil
	}
	r := c.grp.lookout.remove(c)
	n.word.Store(as(word, nextHanding))
	return r
}

// runNext runs what is to be run next, if anything is. It reports false if another
// goroutine reads now.
func (c *Conn) runNext() (reading bool) {
	r, word := c.next.settle(c)
	if r == nil {
		return true
	}
	returned := false
	defer func() {
		reading = c.next.word.CompareAndSwap(word, as(word, nextNone))
		if !reading {
			c.grp.begun() // it was counted out, and ends like the others
			return
		}
		c.grp.lookout.remove(c)
		if !returned { // Run has ended the goroutine
			c.grp.goFunc(c.serve)
		}
	}()
	r.Run()
	returned = true
	return
}

// leaveNext is the end of a reader that hands on nothing more: others run what is
// to be run.
func (c *Conn) leaveNext() {
	n := &c.next
	for {
		word := n.word.Load()
		switch word & nextMask {
		case nextNone:
			return
		case nextHanding:
			if n.word.CompareAndSwap(word, as(word, nextNone)) {
				return
			}
		case nextPending:
			c.ReadOn()
		default:
			runtime.Gosched()
		}
	}
}

// watchTick is how often it is looked for readers that have run something for long.
const watchTick = 5 * time.Millisecond

// watchRest is after how many ticks without any the looking ends.
const watchRest = 200

// lookout knows the readers that run something, or are about to.
type lookout struct {
	mu      sync.Mutex // guards what follows
	list    []watched
	now     uint32 // ticks
	quiet   int    // ticks in which there was none
	ticking bool
	timer   *time.Timer
}

type watched struct {
	c     *Conn
	r     Runner
	since uint32
}

func (l *lookout) add(c *Conn, r Runner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.next.slot = int32(len(l.list))
	l.list = append(l.list, watched{c, r, l.now})
	if l.quiet = 0; l.ticking {
		return
	}
	l.ticking = true
	if l.timer == nil {
		l.timer = time.AfterFunc(watchTick, l.tick)
	} else {
		l.timer.Reset(watchTick)
	}
}

// of returns what a reader runs.
func (l *lookout) of(c *Conn) Runner {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.list[c.next.slot].r
}

func (l *lookout) remove(c *Conn) Runner {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, last := c.next.slot, len(l.list)-1
	r := l.list[i].r
	l.list[i] = l.list[last]
	l.list[i].c.next.slot = i
	l.list[last] = watched{}
	l.list = l.list[:last]
	return r
}

// tick has others read for those that were there at the last two ticks.
func (l *lookout) tick() {
	for _, c := range l.late() {
		c.ReadOn()
	}
}

func (l *lookout) late() (late []*Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now++
	for _, e := range l.list {
		if l.now-e.since > 1 {
			late = append(late, e.c)
		}
	}
	if l.quiet++; l.quiet > watchRest && len(l.list) == 0 {
		l.ticking, l.list = false, nil // many may have been there at once
	} else {
		l.timer.Reset(watchTick)
	}
	return late
}
