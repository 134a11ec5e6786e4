package main

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
)

// record is one line of the journal, in its JSON form.
type record map[string]any

// journal holds what the application saw. Its methods may be called from any
// goroutine.
type journal struct {
	mu      sync.Mutex // guards what follows
	sockets map[string][]record
	errors  []record
	headers []record
}

func newJournal() *journal { return &journal{sockets: map[string][]record{}} }

// add appends to the log of a socket.
func (j *journal) add(s *socketio.Socket, r record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sockets[s.ID()] = append(j.sockets[s.ID()], r)
}

// of returns the log of a socket.
func (j *journal) of(id string) []record {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.sockets[id])
}

// refused records a refused request.
func (j *journal) refused(e *engineio.ConnectionError) {
	url := ""
	if e.Request != nil {
		url = e.Request.URL.RequestURI()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	keys := slices.AppendSeq([]string{}, maps.Keys(e.Context))
	j.errors = append(j.errors, record{"url": url, "code": e.Code, "message": e.Message, "context": keys})
}

// hook records a call of a headers hook.
func (j *journal) hook(name string, r *http.Request) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.headers = append(j.headers, record{"hook": name, "method": r.Method, "url": r.URL.RequestURI()})
}

// tagged returns the records whose url holds tag.
func (j *journal) tagged(list *[]record, tag string) []record {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := []record{}
	for _, r := range *list {
		if strings.Contains(r["url"].(string), tag) {
			out = append(out, r)
		}
	}
	return out
}
