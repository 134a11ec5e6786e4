package siotest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// kind is what an entry of a record tells of.
type kind uint8

const (
	isEvent kind = iota
	isConnect
	isConnectError
	isDisconnect
)

// entry is one thing that happened to a client.
type entry struct {
	kind   kind
	event  *sioclient.Event // of isEvent
	reason sioclient.Reason // of isDisconnect
	err    error            // of isConnectError
}

// String is how a failure shows e.
func (e entry) String() string {
	switch e.kind {
	case isEvent:
		return fmt.Sprintf("%q %s", e.event.Name(), show(e.event.Args))
	case isConnect:
		return "connect"
	case isConnectError:
		return "connect_error (" + e.err.Error() + ")"
	}
	return "disconnect (" + string(e.reason) + ")"
}

// maxShown is how much of the arguments of an event is shown, in bytes.
const maxShown = 200

// show is the JSON text of arguments, cut.
func show(args sioclient.Args) string {
	var parts []string
	for i := range args.Len() {
		parts = append(parts, string(args.Raw(i)))
	}
	text := "[" + strings.Join(parts, ",") + "]"
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	return text
}

// record holds what happened to a client and was not taken yet. The zero value
// is ready to use.
type record struct {
	mu      sync.Mutex // guards what follows
	entries []entry
	changed chan struct{} // closed by the next add; nil until someone waits
}

func (r *record) add(e entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = append(r.entries, e)
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// find returns the oldest entry that f wants and, if take is set, removes it; or
// else what is closed by the next add.
func (r *record) find(take bool, f func(e entry) bool) (e entry, ok bool, changed chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.IndexFunc(r.entries, f); i >= 0 {
		e = r.entries[i]
		if take {
			r.entries = slices.Delete(r.entries, i, i+1)
		}
		return e, true, nil
	}
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return e, false, r.changed
}

// wait is find that waits for d at most.
func (r *record) wait(d time.Duration, take bool, f func(e entry) bool) (entry, bool) {
	late := time.NewTimer(d)
	defer late.Stop()
	for {
		e, ok, changed := r.find(take, f)
		if ok {
			return e, true
		}
		select {
		case <-changed:
		case <-late.C:
			e, ok, _ = r.find(take, f) // it may have come at the same instant
			return e, ok
		}
	}
}

func (r *record) all() []entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.entries)
}

// told describes c for a failure.
func (c *Client) told() string {
	text := "\n\t" + c.name() + " is not connected"
	if c.Connected() {
		text = "\n\t" + c.name() + " is connected over " + c.transport()
	} else if c.Active() {
		text += " and tries to be"
	}
	for _, e := range c.rec.all() {
		text += "\n\tnot asked for yet: " + e.String()
	}
	return text + c.srv.told()
}

// maxTroubles is how many errors of handlers are kept.
const maxTroubles = 20

// trouble keeps an error of a handler of the server.
func (s *Server) trouble(_ *socketio.Socket, event string, err error) {
	if event != "" {
		event = fmt.Sprintf(" (%q)", event)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.troubles) < maxTroubles {
		s.troubles = append(s.troubles, fmt.Sprintf("\n\terror on the server%s: %v", event, err))
	}
}

// told describes for a failure what went wrong on the server.
func (s *Server) told() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.troubles, "")
}
