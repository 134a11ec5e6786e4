package link

import (
	"context"
	"log/slog"
	"time"
)

// resolveTimeout bounds one look-up of the owners of slots.
const resolveTimeout = 5 * time.Second

// runRouter gives what is unrouted to lanes, until the Writer ends. It is only
// needed on a Cluster, where finding the owner of a slot may take time.
func (w *Writer) runRouter() {
	var back backoff
	for {
		select {
		case <-w.kick:
		case <-w.ctx.Done():
			return
		}
		err := w.routeAll()
		if err == nil {
			back = backoff{}
			continue
		}
		if w.ctx.Err() != nil {
			return
		}
		if back.failures == 0 {
			w.c.log(slog.LevelWarn, "the owner of a slot is not known", "err", err)
		}
		if w.abandonUnrouted() {
			continue
		}
		pause(w.ctx, w.closing, back.next())
		wake(w.kick)
	}
}

// routeAll routes what it can. The error is of the others.
func (w *Writer) routeAll() (failure error) {
	keys := make(map[uint16]string)
	w.mu.Lock()
	for _, e := range w.unrouted {
		keys[e.slot] = e.key
	}
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(w.ctx, resolveTimeout)
	defer cancel()
	owners := make(map[uint16]string, len(keys))
	for slot, key := range keys {
		addr, err := w.top.owner(ctx, key)
		if err != nil {
			failure = err
			continue
		}
		owners[slot] = addr
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	for slot, addr := range owners {
		l := w.lane(addr)
		w.routes[slot] = route{l, l.generation}
	}
	list := w.unrouted
	w.unrouted = nil
	for _, e := range list {
		w.push(e)
	}
	w.retire()
	return failure
}

// retire ends the lanes to servers that are out of reach and in charge of
// nothing that waits. Needs mu.
func (w *Writer) retire() {
	for addr, l := range w.lanes {
		if l.down && len(l.queue) == 0 {
			l.retired = true
			l.generation++
			l.down = false
			w.failing--
			delete(w.lanes, addr)
			wake(l.kick)
		}
	}
}

// abandonUnrouted ends what is unrouted if the Writer is being closed.
func (w *Writer) abandonUnrouted() bool {
	w.mu.Lock()
	if !w.closed {
		w.mu.Unlock()
		return false
	}
	left := w.unrouted
	w.unrouted = nil
	w.giveUp(messages(left))
	w.mu.Unlock()
	w.fail(left, ErrClosed)
	return true
}
