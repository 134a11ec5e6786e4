package app

import (
	"context"
	"runtime/debug"
	"time"
)

// The garbage collector runs when so much has been allocated. A server whose clients
// have gone allocates nothing any more, and would keep their memory for minutes, and
// most of what it frees then for as long as it lives.

const (
	releaseEvery = 5 * time.Second // who comes and goes between two looks is not seen
	releaseLeast = 1000            // connections that have gone, or it is not worth it
)

// releaser gives memory back to the operating system when most clients have gone.
type releaser struct {
	release    func()
	most, last int // connections: most since the last release, and at the last look
}

// look is to be called each releaseEvery with how many connections there are.
func (r *releaser) look(n int) {
	r.most = max(r.most, n)
	gone, moved := r.most-n, max(r.last-n, n-r.last)
	r.last = n
	if gone < releaseLeast || n > r.most/2 || moved > gone/10 {
		return
	}
	r.release()
	r.most = n
}

// releaseMemory does that until ctx ends.
func (a *App) releaseMemory(ctx context.Context) {
	r := releaser{release: func() {
		debug.FreeOSMemory()
		debug.FreeOSMemory() // what pools hold goes with the second collection
	}}
	tick := time.NewTicker(releaseEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.look(a.sio.Engine().Clients() + a.sockets.Len())
		}
	}
}
