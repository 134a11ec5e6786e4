//go:build node

package cluster

import (
	"io"
	"net"
	"slices"
	"sync"
)

// gate holds the connections by which clients change from polling to websocket,
// while it is shut: some at each stage of that. The zero value is open.
type gate struct {
	mu      sync.Mutex    // guards what follows
	shut    chan struct{} // closed when the gate opens; nil while it is open
	next    int           // serial number of the next that enters
	waiting [len(stages)]int
}

// direction is where bytes come from.
type direction int

const (
	fromClient direction = iota
	fromServer
)

// stage is the piece of data in front of which a connection stops.
type stage struct {
	from  direction
	piece int
}

// stages are those of an upgrade, in which client and server take turns.
var stages = [...]stage{
	{fromClient, 0}, // the request
	{fromServer, 0}, // its answer, 101
	{fromServer, 1}, // the answer to the probe; the client still polls
	{fromClient, 2}, // the end of the upgrade; the client polls no more
}

// halt is what makes one connection stop; nil does nothing.
type halt struct {
	gate  *gate
	stage int
	open  chan struct{}
}

// close shuts the gate for upgrades that begin from now on.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == nil {
		g.shut, g.waiting = make(chan struct{}), [len(stages)]int{}
	}
}

// open lets all go on.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil {
		close(g.shut)
		g.shut = nil
	}
}

// full reports whether something has stopped at each stage since the gate was
// shut.
func (g *gate) full() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !slices.Contains(g.waiting[:], 0)
}

// enter says where a connection stops.
func (g *gate) enter() *halt {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == nil {
		return nil
	}
	g.next++
	return &halt{g, g.next % len(stages), g.shut}
}

// wait waits until the gate opens, if that piece is the one to stop at.
func (h *halt) wait(from direction, piece int) {
	if h == nil || stages[h.stage] != (stage{from, piece}) {
		return
	}
	h.gate.mu.Lock()
	h.gate.waiting[h.stage]++
	h.gate.mu.Unlock()
	<-h.open
}

// copy hands on what comes from one side, and that it ends.
func (h *halt) copy(to net.Conn, from io.Reader, side direction) {
	buffer := make([]byte, 32<<10)
	for piece := 0; ; piece++ {
		n, err := from.Read(buffer)
		if n > 0 {
			h.wait(side, piece)
			if _, failed := to.Write(buffer[:n]); failed != nil {
				err = failed
			}
		}
		if err != nil {
			break
		}
	}
	_ = to.(*net.TCPConn).CloseWrite()
}
