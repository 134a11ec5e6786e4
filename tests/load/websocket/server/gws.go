package main

import (
	"net/http"
	"slices"
	"sync"

	"github.com/lxzan/gws"
)

// gwsRoutes serves with gws.
func gwsRoutes(mux *http.ServeMux, deflate string) {
	option := &gws.ServerOption{PermessageDeflate: gws.PermessageDeflate{
		Enabled:               deflate != off,
		Threshold:             threshold,
		ServerContextTakeover: deflate == takeover,
		ClientContextTakeover: deflate == takeover,
	}}
	serve := func(up *gws.Upgrader) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			conn, err := up.Upgrade(w, r)
			if err != nil {
				return
			}
			go conn.ReadLoop() // ends with the connection; lets go of the request, as gws's manual says
		}
	}
	fan := *option
	mux.HandleFunc("/echo", serve(gws.NewUpgrader(gwsEcho{}, option)))
	mux.HandleFunc("/fan", serve(gws.NewUpgrader(&gwsFan{conns: map[*gws.Conn]struct{}{}}, &fan)))
}

type gwsEcho struct{ gws.BuiltinEventHandler }

func (gwsEcho) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	_ = c.WriteMessage(m.Opcode, m.Bytes())
}

// gwsFan are the connections of /fan.
type gwsFan struct {
	gws.BuiltinEventHandler
	mu    sync.Mutex // guards conns
	conns map[*gws.Conn]struct{}
}

func (f *gwsFan) OnOpen(c *gws.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns[c] = struct{}{}
}

func (f *gwsFan) OnMessage(_ *gws.Conn, m *gws.Message) {
	defer m.Close()
	b := gws.NewBroadcaster(m.Opcode, slices.Clone(m.Bytes()))
	defer b.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		_ = b.Broadcast(c)
	}
}

func (f *gwsFan) OnClose(c *gws.Conn, _ error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, c)
}
