package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/chat"
	"github.com/hermod-io/hermod/wscore/ephemeral"
)

//go:embed index.html
var page []byte

// protocol is the subprotocol's name.
const protocol = "wschat"

// line is what the server sends, as JSON. What a client sends is the bare text.
type line struct {
	Event string   `json:"event"` // "here", "join", "say" or "leave"
	From  string   `json:"from,omitempty"`
	Text  string   `json:"text,omitempty"`  // of "say"
	Names []string `json:"names,omitempty"` // of "here", which a newcomer gets: who else is
}

// room is the server.
type room struct {
	chat    *chat.Chat
	uris    *ephemeral.Generator
	handler *wscore.Handler

	mu     sync.Mutex                // held while the others are told, so that all hear who comes and goes in one order
	people map[int64]*wscore.Process // who is here, by the id of the connection
}

// newRoom makes the server of a state that another one saved, or nil.
func newRoom(state []byte) (*room, error) {
	r := &room{people: make(map[int64]*wscore.Process)}
	o := ephemeral.Options{Lifetime: time.Hour}
	if len(state) == 0 {
		r.uris = ephemeral.New(o)
	} else {
		var err error
		if r.uris, err = ephemeral.Load(state, o); err != nil {
			return nil, err
		}
	}
	r.chat = chat.New(chat.Options{
		Name:   protocol,
		OnOpen: r.came,
		OnMessage: func(p *wscore.Process, op wscore.Opcode, data []byte) {
			if op == wscore.OpText {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.tell(line{Event: "say", From: name(p), Text: string(data)})
			}
		},
		OnClose: func(p *wscore.Process, _ error) { r.left(p) },
	})
	list := new(wscore.ProtocolList)
	list.Add(ephemeral.Protect(r.chat.Spec(), r.uris, ephemeral.Guard{}))
	r.handler = wscore.NewHandler(list, wscore.ProcessSettings{Conn: wscore.Settings{MaxMessage: 4096}})
	return r, nil
}

// name is the one for which the URI was made.
func name(p *wscore.Process) string {
	c, _ := p.Upgrade().Value.(ephemeral.Cookie)
	return string(c.Record)
}

// came tells a newcomer who is here, and those that there is a newcomer. Whoever
// is back by a new connection before the old one has ended is none.
func (r *room) came(p *wscore.Process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, back := r.people[p.ID()]
	delete(r.people, p.ID())
	_ = r.chat.SendJSON(p.ID(), line{Event: "here", Names: r.names()})
	if !back {
		r.tell(line{Event: "join", From: name(p)})
	}
	r.people[p.ID()] = p
}

func (r *room) left(p *wscore.Process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.people[p.ID()] != p { // another connection has its place
		return
	}
	delete(r.people, p.ID())
	r.tell(line{Event: "leave", From: name(p)})
}

// names are those of who is here. r.mu is held.
func (r *room) names() (list []string) {
	for _, p := range r.people {
		list = append(list, name(p))
	}
	slices.Sort(list)
	return list
}

// tell tells all who are here. It does not block; r.mu is held.
func (r *room) tell(l line) {
	b, _ := json.Marshal(l) // a line is JSON
	r.handler.BroadcastTo(slices.Collect(maps.Keys(r.people)), wscore.OpText, b)
}

// routes lays out the URLs.
func (r *room) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) })
	mux.HandleFunc("POST /join", r.join)
	mux.Handle("GET /ws/", r.handler)
	return mux
}

// join answers with the path on which the named one may connect. A real program
// would know here, from its session, who asks.
func (r *room) join(w http.ResponseWriter, req *http.Request) {
	name := strings.TrimSpace(req.FormValue("name"))
	if n := utf8.RuneCountInString(name); n < 1 || n > 20 || !utf8.ValidString(name) {
		http.Error(w, "a name has 1 to 20 letters", http.StatusBadRequest)
		return
	}
	uri, err := r.uris.URI("/ws", 0, []byte(name))
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	_, _ = fmt.Fprint(w, uri)
}
