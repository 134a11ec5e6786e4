package sockets

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gorilla/mux"

	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/chat"
	"github.com/hermod-io/hermod/wscore/rest"
)

// Where the protocols are mounted.
const (
	ChatPath = "/ws/chat"
	RESTPath = "/ws/rest"
)

// Config says what is served.
type Config struct {
	Chat, REST bool
	// Origins are those whose pages may connect beside this server's own, as
	// -cors-origin has them.
	Origins []string
	// MaxMessage is the largest message in bytes.
	MaxMessage int64
	Queue      wscore.Queue
	// Proxies are those whose word about a client's address counts.
	Proxies []netip.Prefix
	// Admit bounds how many there are, see wscore.ProcessSettings; nil does not.
	Admit func(r *http.Request) (leave func(), err error)
	// Status is what GET /status answers, as JSON.
	Status func() any
	Log    *slog.Logger
}

// Sockets is the handler of both paths.
type Sockets struct {
	handler *wscore.Handler
	room    *chat.Chat
	status  func() any
}

// New returns what c asks for.
func New(c Config) *Sockets {
	s := &Sockets{status: c.Status}
	s.room = chat.New(chat.Options{Name: "chat", URI: ChatPath, OnMessage: func(_ *wscore.Process, op wscore.Opcode, data []byte) {
		s.room.Broadcast(op, data)
	}})
	list := new(wscore.ProtocolList)
	if c.Chat {
		list.Add(s.room.Spec())
	}
	if c.REST {
		o := rest.Options{Handler: s.api(), URI: RESTPath}
		list.Add(rest.JSON(o))
		list.Add(rest.Binary(o))
	}
	s.handler = wscore.NewHandler(list, wscore.ProcessSettings{Conn: wscore.Settings{
		Origins: hosts(c.Origins), MaxMessage: c.MaxMessage, Queue: c.Queue, Deflate: &wscore.Deflate{}, Log: c.Log,
	}, TrustedProxies: c.Proxies, Admit: c.Admit})
	return s
}

// hosts are those of origins, whose only special character is the asterisk.
func hosts(origins []string) (list []string) {
	for _, o := range origins {
		if _, host, ok := strings.Cut(o, "://"); ok {
			o = strings.ReplaceAll(host, "[", `\[`)
		}
		list = append(list, o)
	}
	return slices.Compact(list)
}

// ServeHTTP implements http.Handler.
func (s *Sockets) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Paths are those that something is served on.
func (c *Config) Paths() (list []string) {
	if c.Chat {
		list = append(list, ChatPath)
	}
	if c.REST {
		list = append(list, RESTPath)
	}
	return list
}

// Members is how many there are in the chat.
func (s *Sockets) Members() int { return s.room.Len() }

// Len is the number of connections.
func (s *Sockets) Len() int { return s.handler.Len() }

// Shutdown closes all connections, see wscore.Handler.Shutdown.
func (s *Sockets) Shutdown(ctx context.Context) error { return s.handler.Shutdown(ctx) }

// api is the REST interface: GET /status, POST /echo, and POST /chat, which says
// its body to the chat.
func (s *Sockets) api() http.Handler {
	r := mux.NewRouter()
	r.HandleFunc("/status", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.status()) }).Methods(http.MethodGet)
	r.HandleFunc("/echo", echo).Methods(http.MethodPost, http.MethodPut)
	r.HandleFunc("/chat", func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if !utf8.Valid(text) { // whoever heard it would have to close. RFC 6455 section 8.1
			http.Error(w, "no text", http.StatusBadRequest)
			return
		}
		writeJSON(w, map[string]int{"heard": s.room.Broadcast(wscore.OpText, text)})
	}).Methods(http.MethodPost)
	return r
}

func echo(w http.ResponseWriter, r *http.Request) {
	if t := r.Header.Get("Content-Type"); t != "" {
		w.Header().Set("Content-Type", t)
	}
	_, _ = io.Copy(w, r.Body)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
