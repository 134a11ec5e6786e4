package redisadapter

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// shardedVectorNode is our node in the place of A.
type shardedVectorNode struct {
	*shardedVectors
	ctx        context.Context
	main, chat countingAdapter
}

// countingAdapter is an adapter that counts the nodes.
type countingAdapter interface {
	adapters.Adapter
	ServerCount(ctx context.Context) (int, error)
}

// shardedCall is a recorded call as it is made on our adapters. The result is JSON
// values, with binary ones as {"$bin":hex}.
type shardedCall func(*shardedVectorNode) ([]string, error)

// shardedCalls returns the calls by the name of the scenario.
func shardedCalls() map[string]shardedCall {
	all := shardedEmits()
	maps.Copy(all, shardedRequests())
	maps.Copy(all, shardedMoves())
	return all
}

// with puts the recorded ids in place of their names.
func (n *shardedVectorNode) with(t adapters.Target) adapters.Target {
	id := func(names []string) (ids []string) {
		for _, name := range names {
			if s, ok := n.Vars[name].(string); ok {
				name = s
			}
			ids = append(ids, name)
		}
		return ids
	}
	t.Rooms, t.Except = id(t.Rooms), id(t.Except)
	return t
}

func (n *shardedVectorNode) ask(text string, t adapters.Target, attachments ...[]byte) ([]string, error) {
	var mu sync.Mutex // guards got
	var got []string
	err := n.main.BroadcastAck(n.ctx, shardedEvent(shardedArgs(text, attachments...)), n.with(t), func(a parser.Args) {
		mu.Lock()
		defer mu.Unlock()
		first, _ := a.First()
		got = append(got, shardedText(first))
	})
	return got, err
}

func (n *shardedVectorNode) emitWithAck(ctx context.Context, text string) (got []string, err error) {
	err = n.main.ServerSideEmit(ctx, shardedArgs(text), func(a parser.Args) {
		first, _ := a.First()
		got = append(got, shardedText(first))
	})
	return got, err
}

// fetch writes what it finds in a form of id, rooms and data.
func (n *shardedVectorNode) fetch(t adapters.Target, form string) (got []string, err error) {
	found, err := n.main.Fetch(n.ctx, n.with(t))
	for _, s := range found {
		slices.SortFunc(s.Rooms, func(a, b string) int { // the socket's own first
			return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
		})
		rooms, err := json.Marshal(s.Rooms)
		if err != nil {
			return nil, err
		}
		got = append(got, fmt.Sprintf(form, s.ID, rooms, s.Data))
	}
	return got, err
}

func callEmit(text string, t adapters.Target, attachments ...[]byte) shardedCall {
	return func(n *shardedVectorNode) ([]string, error) {
		return nil, n.main.Broadcast(shardedEvent(shardedArgs(text, attachments...)), n.with(t))
	}
}

func callChat(text string, t adapters.Target) shardedCall {
	return func(n *shardedVectorNode) ([]string, error) {
		return nil, n.chat.Broadcast(shardedEvent(shardedArgs(text)), t)
	}
}

func callServer(text string, attachments ...[]byte) shardedCall {
	return func(n *shardedVectorNode) ([]string, error) {
		return nil, n.main.ServerSideEmit(n.ctx, shardedArgs(text, attachments...), nil)
	}
}

func inRooms(names ...string) adapters.Target { return adapters.Target{Rooms: names} }

func shardedEmits() map[string]shardedCall {
	const bin = `{"_placeholder":true,"num":0}`
	nothing := func(*shardedVectorNode) ([]string, error) { return nil, nil } // the adapter is not asked
	flags := func(f adapters.Flags, rooms ...string) adapters.Target {
		return adapters.Target{Rooms: rooms, Flags: f}
	}
	return map[string]shardedCall{
		"startup":                  nothing,
		"client-joins-room":        nothing,
		"broadcast-text":           callEmit(`["hello","world",1,{"a":[1,2,3],"b":null,"c":1.5,"d":true}]`, inRooms()),
		"broadcast-utf8":           callEmit(`["hé☃😀","😀 é"]`, inRooms()),
		"broadcast-no-args":        callEmit(`["ping1"]`, inRooms()),
		"broadcast-undefined-date": callEmit(`["u",null,{"d":"2023-11-14T22:13:20.123Z"},[null]]`, inRooms()),
		"broadcast-binary":         callEmit(`["bin",`+bin+`,{"k":{"_placeholder":true,"num":1}}]`, inRooms(), []byte{1, 2, 0xff}, []byte{0}),
		"broadcast-typed-array":    callEmit(`["ta",`+bin+`]`, inRooms(), []byte{1, 2, 3}),
		"broadcast-arraybuffer":    callEmit(`["ab",`+bin+`]`, inRooms(), []byte{9, 8, 7}),
		"broadcast-large-ints":     callEmit(`["n",127,128,255,256,65535,65536,4294967296,-1,-33,-129,-32769,1e+21,0.1]`, inRooms()),
		"to-room":                  callEmit(`["hello",1]`, inRooms("room1")),
		"to-two-rooms":             callEmit(`["hello",2]`, inRooms("room1", "room2")),
		"to-room-array":            callEmit(`["hello",3]`, inRooms("room1", "room2")),
		"to-room-binary":           callEmit(`["bin",`+bin+`]`, inRooms("room1"), []byte{0xab}),
		"to-unknown-room":          callEmit(`["hello",4]`, inRooms("nobody")),
		"to-numeric-room":          callEmit(`["hello",5]`, inRooms("42")),
		"to-remote-sid":            callEmit(`["dm",1]`, inRooms("sid_b1")),
		"to-20-char-room":          callEmit(`["x",1]`, inRooms("abcdefghijklmnopqrst")),
		"except-room":              callEmit(`["hello",6]`, adapters.Target{Except: []string{"room2"}}),
		"to-except":                callEmit(`["hello",7]`, adapters.Target{Rooms: []string{"room1"}, Except: []string{"room2"}}),
		"socket-broadcast":         callEmit(`["hello",8]`, adapters.Target{Except: []string{"sid_a1"}}),
		"socket-to-room":           callEmit(`["hello",9]`, adapters.Target{Rooms: []string{"room1"}, Except: []string{"sid_a1"}}),
		"socket-emit":              nothing,
		"socket-emit-binary":       nothing,
		"socket-emit-ack":          func(*shardedVectorNode) ([]string, error) { return []string{`"ok-a1"`}, nil },
		"volatile":                 callEmit(`["v",1]`, flags(adapters.Flags{Volatile: true})),
		"compress-false":           callEmit(`["c",1]`, flags(adapters.Flags{NoCompress: true})),
		"local":                    callEmit(`["l",1]`, flags(adapters.Flags{Local: true})),
		"volatile-compress-to":     callEmit(`["vc",1]`, flags(adapters.Flags{Volatile: true}, "room1")),
		"nsp-broadcast":            callChat(`["hello","chat"]`, inRooms()),
		"nsp-room":                 callChat(`["hello","chat"]`, inRooms("room1")),
		"sse-no-ack":               callServer(`["sse",1,"two",{"three":3}]`),
		"sse-no-args":              callServer(`["sse"]`),
		"sse-binary":               callServer(`["sse",`+bin+`]`, []byte{1, 2}),
	}
}

func shardedRequests() map[string]shardedCall {
	timed := adapters.Target{Flags: adapters.Flags{Timeout: 1500 * time.Millisecond}}
	to := func(t adapters.Target, room string) adapters.Target { t.Rooms = []string{room}; return t }
	ask := func(text string, t adapters.Target, attachments ...[]byte) shardedCall {
		return func(n *shardedVectorNode) ([]string, error) { return n.ask(text, t, attachments...) }
	}
	fetch := func(t adapters.Target, form string) shardedCall {
		return func(n *shardedVectorNode) ([]string, error) { return n.fetch(t, form) }
	}
	single, missing := to(timed, "sid_b1"), timed
	single.Flags.Single = true
	missing.Flags.Timeout = 600 * time.Millisecond
	const all, id, data = `{"id":"%s","rooms":%s,"data":%s}`, `"%[1]s"`, `{"id":"%[1]s","data":%[3]s}`
	return map[string]shardedCall{
		"broadcast-ack":             ask(`["ack","q"]`, timed),
		"broadcast-ack-binary":      ask(`["ackbin",{"_placeholder":true,"num":0}]`, timed, []byte{1}),
		"room-ack":                  ask(`["ack","r"]`, to(timed, "room1")),
		"remote-single-ack":         ask(`["ack","s"]`, single),
		"broadcast-ack-missing":     ask(`["noack",1]`, missing),
		"fetch-sockets":             fetch(inRooms(), all),
		"fetch-sockets-room-except": fetch(adapters.Target{Rooms: []string{"room1"}, Except: []string{"room2"}}, id),
		"fetch-sockets-local":       fetch(adapters.Target{Flags: adapters.Flags{Local: true}}, id),
		"fetch-sockets-binary-data": fetch(inRooms("sid_b1"), data),
		"server-count": func(n *shardedVectorNode) ([]string, error) {
			count, err := n.main.ServerCount(n.ctx)
			return []string{fmt.Sprint(count)}, err
		},
		"sse-ack":        func(n *shardedVectorNode) ([]string, error) { return n.emitWithAck(n.ctx, `["sse",1]`) },
		"sse-ack-binary": func(n *shardedVectorNode) ([]string, error) { return n.emitWithAck(n.ctx, `["ssebin",1]`) },
		"sse-ack-missing": func(n *shardedVectorNode) ([]string, error) {
			ctx, cancel := context.WithTimeout(n.ctx, time.Second)
			defer cancel()
			return n.emitWithAck(ctx, `["unhandled",1]`)
		},
	}
}

func shardedMoves() map[string]shardedCall {
	move := func(f func(n *shardedVectorNode) error) shardedCall {
		return func(n *shardedVectorNode) ([]string, error) { return nil, f(n) }
	}
	return map[string]shardedCall{
		"sockets-join": move(func(n *shardedVectorNode) error { return n.main.SocketsJoin(n.ctx, inRooms("room1"), "room3") }),
		"sockets-join-many": move(func(n *shardedVectorNode) error {
			return n.main.SocketsJoin(n.ctx, inRooms(), "room4", "room5")
		}),
		"sockets-leave": move(func(n *shardedVectorNode) error {
			return n.main.SocketsLeave(n.ctx, adapters.Target{Rooms: []string{"room1"}, Except: []string{"room2"}}, "room3")
		}),
		"sockets-leave-all": move(func(n *shardedVectorNode) error {
			return n.main.SocketsLeave(n.ctx, inRooms(), "room4", "room5")
		}),
		"remote-socket-disconnect": move(func(n *shardedVectorNode) error {
			return n.chat.DisconnectSockets(n.ctx, n.with(adapters.Target{Rooms: []string{"sid_c1"}, Flags: adapters.Flags{Single: true}}), true)
		}),
		"disconnect-sockets":       move(func(n *shardedVectorNode) error { return n.main.DisconnectSockets(n.ctx, inRooms("room1"), false) }),
		"disconnect-sockets-close": move(func(n *shardedVectorNode) error { return n.main.DisconnectSockets(n.ctx, inRooms(), true) }),
		"close": move(func(n *shardedVectorNode) error {
			return errors.Join(n.main.Close(n.ctx), n.chat.Close(n.ctx))
		}),
	}
}
