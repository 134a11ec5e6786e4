package main

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/socketio"
)

// relays are nodes without sessions, to which all requests go that name one: so
// each of them is served by way of another node.
type relays struct {
	owner *cluster.Router // for the server under test
	nodes [2]*socketio.Server
	ways  [2]*cluster.Router
	next  atomic.Uint64
}

// startRelays makes nodes for a server with that configuration.
func startRelays(cfg socketio.Config, middleware bool) (*relays, error) {
	var room cluster.MailRoom
	join := func() (*cluster.Router, error) {
		return cluster.NewRouter(context.Background(), room.Join(), cluster.RouterConfig{Key: []byte("a key for tests only")})
	}
	r := &relays{}
	var err error
	if r.owner, err = join(); err != nil {
		return nil, err
	}
	for i := range r.nodes {
		if r.ways[i], err = join(); err != nil {
			return nil, err
		}
		cfg.Engine.Router = r.ways[i]
		if r.nodes[i], err = socketio.New(cfg); err != nil {
			return nil, err
		}
		if middleware {
			r.nodes[i].Engine().Use(mark)
		}
	}
	return r, nil
}

// server is where a request goes: owner, if it names no session or there are no
// relays.
func (r *relays) server(req *http.Request, owner *socketio.Server) *socketio.Server {
	if r == nil || !req.URL.Query().Has("sid") {
		return owner
	}
	return r.nodes[r.next.Add(1)%2]
}

// served is how many requests and connections went by way of another node.
func (r *relays) served() uint64 {
	if r == nil {
		return 0
	}
	return r.owner.Stats().Served
}

// stop closes what startRelays has opened.
func (r *relays) stop(ctx context.Context) error {
	if r == nil {
		return nil
	}
	err := r.owner.Close(ctx)
	for i := range r.nodes {
		err = errors.Join(err, r.nodes[i].Close(ctx), r.ways[i].Close(ctx))
	}
	return err
}
