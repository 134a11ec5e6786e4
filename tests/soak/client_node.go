package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"sync"
)

// nodeHost is a Node process with official clients.
type nodeHost struct {
	child  *child
	faults *faults
	done   chan struct{} // closed when the process says nothing more

	mu    sync.Mutex // guards what follows, and the order of the lines
	peers map[int]*nodePeer
	calls map[int]chan nodeLine
	last  int // id of a peer or a call
}

// nodeOrder is a line to the process.
type nodeOrder struct {
	Op      string `json:"op"`
	ID      int    `json:"id"`
	Slot    int    `json:"slot,omitempty"`
	Conn    int    `json:"conn"` // how many connections the client had
	URL     string `json:"url,omitempty"`
	Mode    string `json:"mode,omitempty"`
	Version int    `json:"version,omitempty"`
	MsgPack bool   `json:"msgpack,omitempty"`
	Name    string `json:"name,omitempty"`
	Note    *note  `json:"note,omitempty"`
	Call    int    `json:"call,omitempty"`
}

// nodeLine is a line from the process.
type nodeLine struct {
	ID     int
	What   string // begin, connect, disconnect, event, answer, refused, quiet, closed
	Name   string
	Note   note
	Bytes  int // that came with an event; negative: other ones
	Reason string
	Call   int
}

// startNode starts the process; root is the folder of the project.
func startNode(root string, f *faults) (*nodeHost, error) {
	h := &nodeHost{faults: f, done: make(chan struct{}), peers: make(map[int]*nodePeer), calls: make(map[int]chan nodeLine)}
	var err error
	if h.child, err = startChild(exec.Command("node", filepath.Join(root, "tests/soak/clients.mjs"))); err != nil {
		return nil, fmt.Errorf("the Node clients: %w", err)
	}
	go h.listen() // until the process ends
	return h, nil
}

func (h *nodeHost) listen() {
	defer close(h.done)
	lines := bufio.NewScanner(h.child.stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line nodeLine
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			h.faults.add("Node said %q", lines.Text())
			continue
		}
		if line.What == "answer" { // also to who has been closed
			h.answer(line)
			continue
		}
		h.mu.Lock()
		p := h.peers[line.ID]
		h.mu.Unlock()
		if p != nil {
			p.hear(line)
		}
	}
}

// answer hands an answer to who waits for it.
func (h *nodeHost) answer(line nodeLine) {
	h.mu.Lock()
	ch := h.calls[line.Call]
	delete(h.calls, line.Call)
	h.mu.Unlock()
	if ch != nil {
		ch <- line
	}
}

// send sends a line. The process is gone if it fails, which is noticed at its end.
func (h *nodeHost) send(o nodeOrder) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = json.NewEncoder(h.child.stdin).Encode(o)
}

// number makes an id.
func (h *nodeHost) number() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	return h.last
}

// nodePeer is an official client.
type nodePeer struct {
	h      *nodeHost
	l      *ledger
	id     int
	hushed chan struct{} // takes "quiet" and "closed"
}

// nodeKind returns what makes official clients of a version, 2 or 4.
func (h *nodeHost) kind(version int, mode string, app int, url string, share int) *kind {
	make := func(l *ledger, slot int) (peer, error) {
		p := &nodePeer{h: h, l: l, id: h.number(), hushed: make(chan struct{}, 1)}
		h.mu.Lock()
		h.peers[p.id] = p
		h.mu.Unlock()
		conn, _ := l.stable()
		h.send(nodeOrder{Op: "make", ID: p.id, Slot: slot, Conn: conn, URL: url, Mode: mode, Version: version, MsgPack: app == appMsgPack})
		return p, nil
	}
	return &kind{name: fmt.Sprintf("JS %d %s", version, mode), app: app, make: make, share: share}
}

// hear takes a line. It runs on the goroutine of the host.
func (p *nodePeer) hear(line nodeLine) {
	switch line.What {
	case "begin":
		p.l.begin(0)
	case "connect":
		p.l.connected()
	case "disconnect":
		p.l.disconnected(line.Reason)
	case "event":
		var b []byte
		if line.Bytes > 0 {
			b = payload(line.Note.N, line.Bytes)
		} else if line.Bytes < 0 {
			b = bytes.Repeat([]byte{0}, line.Note.Size+1)
		}
		p.l.event(line.Name, line.Note, b)
	case "refused":
		p.l.mu.Lock()
		p.l.complain("refused: %s", line.Reason)
		p.l.mu.Unlock()
	case "quiet":
		p.l.quiet(func() {})
		p.hushed <- struct{}{}
	case "closed":
		p.h.mu.Lock()
		delete(p.h.peers, p.id)
		p.h.mu.Unlock()
		p.hushed <- struct{}{}
	}
}

func (p *nodePeer) open() { p.h.send(nodeOrder{Op: "open", ID: p.id}) }

func (p *nodePeer) disconnect() { p.hush("disconnect") }

func (p *nodePeer) close() error {
	p.hush("close")
	select {
	case <-p.h.done:
		return errors.New("the Node clients have ended")
	default:
		return nil
	}
}

// hush sends an order that ends the events and waits until it is done.
func (p *nodePeer) hush(op string) {
	p.h.send(nodeOrder{Op: op, ID: p.id})
	select {
	case <-p.hushed:
	case <-p.h.done:
	}
}

func (p *nodePeer) emit(name string, n note, _ []byte) bool {
	p.h.send(nodeOrder{Op: "emit", ID: p.id, Name: name, Note: &n})
	return true
}

func (p *nodePeer) ask(ctx context.Context, name string, n note, _ []byte) (note, error) {
	call := p.h.number()
	ch := make(chan nodeLine, 1)
	p.h.mu.Lock()
	p.h.calls[call] = ch
	p.h.mu.Unlock()
	defer func() {
		p.h.mu.Lock()
		delete(p.h.calls, call)
		p.h.mu.Unlock()
	}()
	p.h.send(nodeOrder{Op: "ask", ID: p.id, Name: name, Note: &n, Call: call})
	select {
	case line := <-ch:
		if line.Reason != "" {
			return note{}, net.ErrClosed
		}
		return line.Note, nil
	case <-ctx.Done():
		return note{}, context.Cause(ctx)
	case <-p.h.done:
		return note{}, errors.New("the Node clients have ended")
	}
}

// stop ends the process.
func (h *nodeHost) stop() error { return h.child.stop() }
