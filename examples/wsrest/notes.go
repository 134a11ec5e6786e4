package main

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/gorilla/mux"

	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/rest"
)

// note is one of the notes.
type note struct {
	ID   int    `json:"id"`
	Text string `json:"text"`
}

const maxNote = 1000 // bytes

// notes are kept in memory. Everyone who is connected is told of a change.
type notes struct {
	handler *wscore.Handler

	mu   sync.Mutex // guards what follows
	list []note
	last int
}

func newNotes() *notes {
	n := &notes{}
	list := new(wscore.ProtocolList)
	o := rest.Options{Handler: n.api(), URI: "/ws"}
	list.Add(rest.JSON(o))
	list.Add(rest.Binary(o))
	n.handler = wscore.NewHandler(list, wscore.ProcessSettings{})
	return n
}

//go:embed index.html
var page []byte

// routes serves the page, the sockets, and the same interface over plain HTTP.
func (n *notes) routes() http.Handler {
	r := mux.NewRouter()
	r.Handle("/ws", n.handler)
	r.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) })
	r.PathPrefix("/").Handler(n.api())
	return r
}

// api is an ordinary HTTP interface, which knows nothing of sockets.
func (n *notes) api() http.Handler {
	r := mux.NewRouter()
	r.HandleFunc("/notes", n.get).Methods(http.MethodGet)
	r.HandleFunc("/notes", n.post).Methods(http.MethodPost)
	r.HandleFunc("/notes/{id}", n.delete).Methods(http.MethodDelete)
	return r
}

func (n *notes) get(w http.ResponseWriter, _ *http.Request) {
	n.mu.Lock()
	list := append([]note{}, n.list...)
	n.mu.Unlock()
	answer(w, http.StatusOK, list)
}

func (n *notes) post(w http.ResponseWriter, r *http.Request) {
	var in note
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 2*maxNote)).Decode(&in); err != nil || in.Text == "" || len(in.Text) > maxNote {
		http.Error(w, "a note has a text of at most 1000 bytes", http.StatusBadRequest)
		return
	}
	n.mu.Lock()
	n.last++
	in.ID = n.last
	n.list = append(n.list, in)
	n.mu.Unlock()
	answer(w, http.StatusCreated, in)
	n.changed(r, "added", in)
}

func (n *notes) delete(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.Atoi(mux.Vars(r)["id"])
	n.mu.Lock()
	i := slices.IndexFunc(n.list, func(o note) bool { return o.ID == id })
	if i < 0 {
		n.mu.Unlock()
		http.Error(w, "no such note", http.StatusNotFound)
		return
	}
	gone := n.list[i]
	n.list = slices.Delete(n.list, i, i+1)
	n.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
	n.changed(r, "deleted", gone)
}

// changed calls every client: POST changed/added or changed/deleted. Nobody's
// answer is waited for.
func (n *notes) changed(r *http.Request, what string, o note) {
	body, err := json.Marshal(o)
	if err != nil {
		return
	}
	for p := range n.handler.Processes() {
		if peer, ok := rest.PeerOf(p); ok {
			_, _ = peer.Notify(r.Context(), rest.Request{Method: http.MethodPost, URL: "changed/" + what, Content: body}, rest.NonBlocking)
		}
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
