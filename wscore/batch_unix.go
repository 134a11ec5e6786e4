//go:build unix

package wscore

// calls is what a batch needs for its system calls.
type calls struct {
	held int               // the connections before it are looked after
	fds  [maxBatch]uintptr // their descriptors; they are open
	next func(fd uintptr)  // keeps one more
}

const noFD = ^uintptr(0)

// write writes what the batch has.
func (b *batch) write() {
	b.calls.held = 0
	if b.calls.next == nil {
		b.calls.next = b.keep
	}
	b.hold()
}

// hold has Control keep the next descriptor open and goes on from within, until all
// are kept at once. Then it writes: nothing but system calls. Who closes one of these
// connections waits until then, as for every callback of a RawConn.
func (b *batch) hold() {
	for b.calls.held < b.n {
		i := b.calls.held
		b.calls.held++
		b.calls.fds[i] = noFD
		v := &b.vecs[i]
		f, ok := b.conns[i].raw.(fdIO)
		if !ok {
			v.n, v.again, v.err = b.conns[i].raw.tryWritev(v)
			continue
		}
		err := f.rc.Control(b.calls.next)
		if err == nil {
			return // what was left is done
		}
		v.n, v.again, v.err = 0, false, err
	}
	for i := range b.n {
		if fd := b.calls.fds[i]; fd != noFD {
			b.vecs[i].run(fd)
		}
	}
}

// keep notes a descriptor that is kept open until it returns.
func (b *batch) keep(fd uintptr) {
	b.calls.fds[b.calls.held-1] = fd
	b.hold()
}
