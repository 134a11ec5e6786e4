package main

import (
	"net/http"
	"sync"

	"github.com/hermod-io/hermod/wscore"
)

// hermodRoutes serves with wscore.
func hermodRoutes(mux *http.ServeMux, deflate string) {
	settings := wscore.Settings{}
	if deflate != off {
		settings.Deflate = &wscore.Deflate{Takeover: deflate == takeover, Threshold: threshold}
	}
	srv := wscore.NewServer(settings)
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		conn, err := srv.Accept(w, r, nil)
		if err != nil {
			return // answered
		}
		conn.Serve(hermodEcho{conn})
	})
	all := &hermodFan{conns: map[*wscore.Conn]struct{}{}}
	mux.HandleFunc("/fan", func(w http.ResponseWriter, r *http.Request) {
		conn, err := srv.Accept(w, r, nil)
		if err != nil {
			return
		}
		all.add(conn)
		conn.Serve(hermodMember{all, conn})
	})
}

type hermodEcho struct{ conn *wscore.Conn }

func (e hermodEcho) OnMessage(op wscore.Opcode, data []byte) { _ = e.conn.Send(op, data) }
func (hermodEcho) OnClose(error)                             {}

// hermodFan are the connections of /fan.
type hermodFan struct {
	mu    sync.Mutex // guards conns
	conns map[*wscore.Conn]struct{}
}

func (f *hermodFan) add(c *wscore.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns[c] = struct{}{}
}

type hermodMember struct {
	all  *hermodFan
	conn *wscore.Conn
}

func (m hermodMember) OnMessage(op wscore.Opcode, data []byte) {
	p := wscore.NewPrepared(wscore.Message{Op: op, Data: data})
	m.all.mu.Lock()
	defer m.all.mu.Unlock()
	for c := range m.all.conns {
		_ = c.SendPrepared(p, wscore.Later)
	}
}

func (m hermodMember) OnClose(error) {
	m.all.mu.Lock()
	defer m.all.mu.Unlock()
	delete(m.all.conns, m.conn)
}
