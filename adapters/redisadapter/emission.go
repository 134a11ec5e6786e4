package redisadapter

import (
	"slices"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/socketio/args"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Emission says whom an [Emitter] reaches and how. It is an immutable value; each
// modifier returns a changed copy, so it may be kept and shared.
type Emission struct {
	e      *Emitter
	nsp    string
	target adapters.Target
}

// To returns m for the sockets that are in any of the rooms, in addition to those
// m reaches already; without rooms it reaches all.
func (m Emission) To(rooms ...string) Emission {
	m.target.Rooms = with(m.target.Rooms, rooms)
	return m
}

// In is the same as To.
func (m Emission) In(rooms ...string) Emission { return m.To(rooms...) }

// Except returns m without the sockets that are in any of the rooms.
func (m Emission) Except(rooms ...string) Emission {
	m.target.Except = with(m.target.Except, rooms)
	return m
}

// with returns a list with more names, each of them once.
func with(list, more []string) []string {
	list = slices.Clip(list)
	for _, name := range more {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// Volatile returns m for the sockets that can take the event when it arrives; for
// others it is dropped.
func (m Emission) Volatile() Emission {
	m.target.Flags.Volatile = true
	return m
}

// Compress returns m that says whether the event is worth compressing; it is by
// default.
func (m Emission) Compress(on bool) Emission {
	m.target.Flags.NoCompress = !on
	return m
}

// Emit sends an event. Arguments are what a socket's Emit takes: whatever has a
// JSON form, and []byte at any depth, which are read before it returns. The errors
// are those of [Emitter].
func (m Emission) Emit(event string, values ...any) error {
	if parser.Reserved(event) {
		return args.Reserved(event)
	}
	data, err := m.e.encode(event, values)
	if err != nil {
		return err
	}
	packet := parser.Packet{Type: parser.Event, Namespace: m.nsp, Args: data}
	return m.send(&cluster.Message{Type: cluster.Broadcast, Packet: &packet})
}

// SocketsJoin puts the sockets that m reaches into rooms.
func (m Emission) SocketsJoin(rooms ...string) error {
	return m.move(&cluster.Message{Type: cluster.SocketsJoin, Rooms: rooms})
}

// SocketsLeave takes the sockets that m reaches out of rooms.
func (m Emission) SocketsLeave(rooms ...string) error {
	return m.move(&cluster.Message{Type: cluster.SocketsLeave, Rooms: rooms})
}

// DisconnectSockets makes the sockets that m reaches leave the namespace, or
// closes their connections.
func (m Emission) DisconnectSockets(closeConn bool) error {
	return m.move(&cluster.Message{Type: cluster.DisconnectSockets, Close: closeConn})
}

// ServerSideEmit sends an event to the namespace on all nodes, whose OnServerSide
// handlers take it. Whom m reaches does not matter.
func (m Emission) ServerSideEmit(event string, values ...any) error {
	switch event {
	case "connect", "connection", "new_namespace":
		return args.Reserved(event)
	}
	data, err := m.e.encode(event, values)
	if err != nil {
		return err
	}
	return m.e.send(m.nsp, &cluster.Message{Type: cluster.ServerSideEmit, Args: data})
}

// move sends what sockets are to do, which has no flags.
func (m Emission) move(msg *cluster.Message) error {
	m.target.Flags = adapters.Flags{}
	return m.send(msg)
}

func (m *Emission) send(msg *cluster.Message) error {
	msg.Target = m.target
	return m.e.send(m.nsp, msg)
}
