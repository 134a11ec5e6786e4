package wscore

import (
	"crypto/rand"
	"encoding/binary"
	"net/http"
	"time"
)

// maxLost is how many lost connections can be resumed at a time; of more, the
// oldest are forgotten.
const maxLost = 1 << 16

// resumer knows by which token a client may take its connection's id over to a
// new one. Its Handler's mu guards it.
type resumer struct {
	tokens map[string]*resumable // of living connections and of lost ones
	byID   map[int64]*resumable
	fifo   []*resumable // the lost ones, by time
}

// resumable is a connection that can be resumed once. If it is itself resumed, the
// token that did so is good too until the client has spoken: it may never have
// got the answer with the new one.
type resumable struct {
	token    string
	previous string // "" is none
	id       int64
	until    time.Time // zero while it lives
	data     any       // of the process, when it is lost
}

// add makes p resumable by token; "" is none. What had its id is so no longer.
func (r *resumer) add(token string, p *Process) {
	if token == "" {
		return
	}
	if r.tokens == nil {
		r.tokens, r.byID = map[string]*resumable{}, map[int64]*resumable{}
	}
	e := &resumable{token: token, previous: p.upgrade.token, id: p.ID()}
	if old := r.byID[e.id]; old != nil {
		r.drop(old)
	}
	r.tokens[token], r.byID[e.id] = e, e
	if e.previous != "" {
		r.tokens[e.previous] = e
	}
}

// confirm ends the use of the token by which p was resumed.
func (r *resumer) confirm(p *Process) {
	if e := r.byID[p.ID()]; e != nil && e.previous == p.upgrade.token {
		r.forget(e.previous, e)
		e.previous = ""
	}
}

// lost starts the time within which p can be resumed.
func (r *resumer) lost(p *Process, window time.Duration) {
	now := time.Now()
	for len(r.fifo) > 0 && (len(r.fifo) > maxLost || now.After(r.fifo[0].until)) {
		r.drop(r.fifo[0])
		r.fifo[0] = nil
		r.fifo = r.fifo[1:]
	}
	if e := r.byID[p.ID()]; e != nil {
		e.until, e.data = now.Add(window), p.Data()
		r.fifo = append(r.fifo, e)
	}
}

func (r *resumer) drop(e *resumable) {
	r.forget(e.token, e)
	r.forget(e.previous, e)
	if r.byID[e.id] == e {
		delete(r.byID, e.id)
	}
}

// forget takes a token from e, unless it is another's now.
func (r *resumer) forget(token string, e *resumable) {
	if r.tokens[token] == e {
		delete(r.tokens, token)
	}
}

// find returns what a token resumes. It is used up when the client that resumed
// has spoken.
func (r *resumer) find(token string) (e *resumable, ok bool) {
	e = r.tokens[token]
	return e, e != nil && (e.until.IsZero() || time.Now().Before(e.until))
}

// identify gives an upgrade its id, a fresh one or that of the connection which
// the client resumes, and returns the token by which it can be resumed in turn.
func (h *Handler) identify(u *Upgrade, r *http.Request) (token string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.settings.resumeWindow() > 0 {
		token = rand.Text()
		by := r.Header.Get("Sec-Websocket-Resume")
		if e, ok := h.resume.find(by); ok {
			u.ID, u.Resumed, u.token, u.inherited = e.id, true, by, e.data
			if old := h.procs.Get(e.id); old != nil { // it still lives, and may end at any time
				u.inherited = old.Data()
			}
			return token
		}
	}
	for u.ID == 0 || h.procs.Get(u.ID) != nil || h.resume.byID[u.ID] != nil {
		u.ID = randomID()
	}
	return token
}

// randomID is a positive number of 62 bits that says nothing of the server.
func randomID() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return int64(binary.LittleEndian.Uint64(b[:]) >> 2)
}
