package wscore

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// lot is where the connections of a group are parked: an epoll of its own, and
// a goroutine that waits for it as for any file, which is there as long as
// somebody is parked.
//
// Whoever takes a connection out of its place starts its reader. Descriptors stay
// in the epoll, disarmed, until they are closed, so that events may come for a
// place that is empty, or another's by now: then that one's reader finds nothing
// to read and parks again.
type lot struct {
	mu     sync.Mutex // guards what follows
	epoll  *os.File   // nil while nobody is parked
	rc     syscall.RawConn
	places []*Conn
	free   []int32 // those of places that are nil
	n      int     // those that are not
	broken bool    // the system has no epoll for us
}

// canPark reports whether the connection is one that can be parked.
func (c *Conn) canPark() bool {
	_, ok := c.raw.(fdIO)
	return ok
}

// park gives c, whose reader calls it, a place, and reports whether the reader
// is to end: another one goes on.
func (g *group) park(c *Conn) bool {
	epoll, at, first := g.lot.enter(g, c)
	return epoll != nil && g.arm(c, epoll, at, first)
}

// arm is the part of park after c has got a place. An event for who had the place
// before may have taken c out of it meanwhile, and c may have another by now: then
// it is armed for that one once more, since ours may have come later.
func (g *group) arm(c *Conn, epoll syscall.RawConn, at int32, first bool) bool {
	for {
		if arm(epoll, c.raw.(fdIO).rc, at, first) != nil {
			return !g.lot.leave(c)
		}
		now, its := g.lot.where(c)
		if its < 0 || its == at {
			return true
		}
		epoll, at, first = now, its, false
	}
}

// arm has the epoll tell of the next bytes, or the end, of a descriptor, which is
// told at once if they are there. Both are kept open meanwhile. No epoll knows the
// descriptor of a connection that has its first place; this one most likely knows
// any other, unless it was opened since. Where that is wrong the kernel says so.
func arm(epoll, rc syscall.RawConn, at int32, first bool) (err error) {
	op, other := syscall.EPOLL_CTL_MOD, syscall.EPOLL_CTL_ADD
	if first {
		op, other = other, op
	}
	cerr := epoll.Control(func(ep uintptr) {
		cerr := rc.Control(func(fd uintptr) {
			e := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT, Fd: at}
			if err = syscall.EpollCtl(int(ep), op, int(fd), &e); err == syscall.ENOENT || err == syscall.EEXIST {
				err = syscall.EpollCtl(int(ep), other, int(fd), &e)
			}
		})
		if cerr != nil {
			err = cerr
		}
	})
	if cerr != nil {
		err = cerr
	}
	return err
}

// readNow reads without waiting, whatever the deadline: that of who was parked has
// passed.
func (c *Conn) readNow() {
	c.failRead(c.raw.(fdIO).rc.Control(func(fd uintptr) { c.readOnce(fd) }))
}

// unpark starts the reader of a connection that was closed, if it is parked.
// c.mu is held.
func (g *group) unpark(c *Conn) {
	if g.lot.leave(c) {
		g.goFunc(c.resume)
	}
}

// enter gives c a place, unless it is gone: who closes it looks here after that.
// first reports that c had none before.
func (l *lot) enter(g *group, c *Conn) (epoll syscall.RawConn, at int32, first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.gone.Load() || l.broken {
		return nil, 0, false
	}
	if l.epoll == nil {
		if err := l.open(g); err != nil {
			l.broken = !passing(err)
			return nil, 0, false
		}
	}
	first = !c.parked
	c.parked = true
	if n := len(l.free); n > 0 {
		at, l.free = l.free[n-1], l.free[:n-1]
		l.places[at] = c
	} else {
		at = int32(len(l.places))
		l.places = append(l.places, c)
	}
	c.place = at + 1
	l.n++
	return l.rc, at, first
}

// passing reports whether the system had no epoll only at the moment: later, who is
// silent still asks again.
func passing(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

// where returns the place of c, -1 if it has none.
func (l *lot) where(c *Conn) (epoll syscall.RawConn, at int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rc, c.place - 1
}

// leave takes c out of its place and reports whether it had one.
func (l *lot) leave(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.place == 0 {
		return false
	}
	l.vacate(c.place - 1)
	return true
}

// vacate takes out who is at a place, or nil. mu is held.
func (l *lot) vacate(at int32) *Conn {
	if int(at) >= len(l.places) || l.places[at] == nil {
		return nil
	}
	c := l.places[at]
	c.place, l.places[at] = 0, nil
	l.free = append(l.free, at)
	if l.n--; l.n == 0 {
		_ = l.epoll.SetReadDeadline(time.Unix(1, 0)) // its goroutine closes it
		l.epoll, l.rc, l.places, l.free = nil, nil, nil, nil
	}
	return c
}

// open makes the epoll and starts its goroutine. mu is held.
func (l *lot) open(g *group) error {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err == nil {
		err = syscall.SetNonblock(fd, true) // so that the runtime waits for it
	}
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "epoll")
	rc, err := f.SyscallConn()
	if err == nil {
		err = f.SetReadDeadline(time.Time{}) // fails if the runtime cannot wait
	}
	if err != nil {
		_ = f.Close()
		return err
	}
	l.epoll, l.rc = f, rc
	g.goFunc(func() { g.watch(f, rc) }) // ended by vacate
	return nil
}

// watch starts the readers of those that have something to read, until the lot is
// empty.
func (g *group) watch(f *os.File, rc syscall.RawConn) {
	var events [64]syscall.EpollEvent
	var awake [len(events)]*Conn
	for {
		n := 0
		err := rc.Read(func(fd uintptr) bool {
			for {
				var err error
				if n, err = syscall.EpollWait(int(fd), events[:], 0); err != syscall.EINTR {
					return n != 0
				}
			}
		})
		if err != nil || n < 0 {
			for _, c := range g.lot.fail(f) {
				g.goFunc(c.resume)
			}
			_ = f.Close()
			return
		}
		for _, c := range awake[:g.lot.wake(f, events[:n], awake[:])] {
			g.goFunc(c.resume)
		}
		clear(awake[:])
		if n == len(events) {
			runtime.Gosched() // or all who are awake have a goroutine before the first one reads
		}
	}
}

// fail takes out all, if the epoll f has failed them. Where it was only let go of
// nobody is left in it.
func (l *lot) fail(f *os.File) (all []*Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for at := int32(0); l.epoll == f; at++ {
		l.broken = true
		if c := l.vacate(at); c != nil {
			all = append(all, c)
		}
	}
	return all
}

// wake takes out those whose events came, and returns how many they are.
func (l *lot) wake(f *os.File, events []syscall.EpollEvent, awake []*Conn) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.epoll != f { // it was emptied, and is another's now
		return 0
	}
	for i := range events {
		if c := l.vacate(events[i].Fd); c != nil {
			awake[n] = c
			n++
		}
		if l.epoll != f {
			break
		}
	}
	return n
}
