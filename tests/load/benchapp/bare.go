package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// bare answers idle clients over long-polling as a server would, without being
// one: it is what net/http alone costs, the bound that no server over net/http
// gets below. It has the open packet, an answer to the CONNECT, and GETs that wait
// until their client has gone. All else goes to next.
type bare struct {
	next http.Handler

	mu     sync.Mutex // guards what follows
	joined []bool     // by session: it has had its answer
}

func (b *bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch sid := q.Get("sid"); {
	case q.Get("transport") != "polling":
		b.next.ServeHTTP(w, r)
	case sid == "":
		answer(w, fmt.Sprintf(`0{"sid":"%d","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`, b.open()))
	case r.Method == http.MethodPost:
		_, _ = io.Copy(io.Discard, r.Body) // the client notices what is missing
		answer(w, "ok")
	case b.join(sid):
		answer(w, `40{"sid":"`+sid+`"}`)
	default:
		<-r.Context().Done()
	}
}

// answer answers in plain text.
func answer(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	_, _ = io.WriteString(w, body) // the client notices what is missing
}

// open begins a session.
func (b *bare) open() (sid int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.joined = append(b.joined, false)
	return len(b.joined) - 1
}

// join reports whether a session, which exists, is to be told that it has joined.
func (b *bare) join(sid string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, err := strconv.Atoi(sid)
	if err != nil || i < 0 || i >= len(b.joined) || b.joined[i] {
		return false
	}
	b.joined[i] = true
	return true
}

// clients is how many have joined.
func (b *bare) clients() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, in := range b.joined {
		if in {
			n++
		}
	}
	return n
}
