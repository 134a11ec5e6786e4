package redisadapter

import (
	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
)

// The types of requests and answers. npm @socket.io/redis-adapter, RequestType.
const (
	classicSockets          = 0 // of old nodes, only answered
	classicAllRooms         = 1
	classicRemoteJoin       = 2
	classicRemoteLeave      = 3
	classicRemoteDisconnect = 4
	classicRemoteFetch      = 5
	classicServerSideEmit   = 6
	classicBroadcast        = 7 // with an ack
	classicClientCount      = 8
	classicBroadcastAck     = 9
)

// The type of a packet that is broadcast. Socket.IO protocol v5.
const packetEvent = 2

// Publish implements [cluster.Bus].
func (b *classicBus) Publish(m *cluster.Message) error {
	if err := b.link.closed(); err != nil {
		return err
	}
	if m.Type == cluster.Broadcast && m.RequestID == "" {
		return b.publish(b.names.of(&m.Target, &b.moved), b.appendBroadcast(m))
	}
	b.moved.note(m)
	payload := b.appendRequest(m)
	if payload == nil {
		return nil // a type that has no meaning here
	}
	return b.publish(b.names.request, payload)
}

// publish sends all of a namespace by way of one server, so that it keeps its
// order on a Cluster too.
func (b *classicBus) publish(channel string, payload []byte) error {
	return busError(b.link.PublishVia(b.names.all, channel, payload))
}

// classicOverhead is room for a payload beside what the message is about.
const classicOverhead = 64

// appendClassicHead appends how the broadcasts of a node begin.
func appendClassicHead(dst []byte, uid string) []byte {
	w := wire.NewWriter(dst, wire.Notepack)
	w.Array(3)
	w.String(uid)
	return w.Bytes()
}

// appendBroadcast encodes [uid, packet, opts].
func (b *classicBus) appendBroadcast(m *cluster.Message) []byte {
	size := classicOverhead + len(b.own) + len(b.nsp) + sizeOf(m)
	w := wire.NewWriter(append(make([]byte, 0, size), b.own...), wire.Notepack)
	writePacket(&w, m, b.nsp)
	w.Map(3)
	writeRooms(&w, &m.Target)
	w.Key("flags")
	cluster.WriteFlags(&w, m.Target.Flags)
	return w.Bytes()
}

// sizeOf estimates the size of what m is about.
func sizeOf(m *cluster.Message) int {
	n := len(m.Packet.JSON)
	for _, a := range m.Packet.Attachments {
		n += len(a) + 5
	}
	for _, room := range m.Target.Rooms {
		n += len(room) + 2
	}
	for _, room := range m.Target.Except {
		n += len(room) + 2
	}
	return n
}

// writePacket writes the packet of a broadcast.
func writePacket(w *wire.Writer, m *cluster.Message, nsp string) {
	w.Map(3)
	w.Key("type")
	w.Int(packetEvent)
	w.Key("data")
	w.Args(m.Packet.Args)
	w.Key("nsp")
	w.String(nsp)
	w.EndMap()
}

// writeRooms writes two members of opts.
func writeRooms(w *wire.Writer, t *adapters.Target) {
	w.Key("rooms")
	w.Strings(t.Rooms)
	w.Key("except")
	w.Strings(t.Except)
}

// appendRequest encodes a request; it returns nil for what is none.
func (b *classicBus) appendRequest(m *cluster.Message) []byte {
	if m.Type == cluster.Broadcast {
		return b.appendAckBroadcast(m)
	}
	w := wire.NewWriter(nil, wire.JSON)
	w.Map(0)
	w.Key("uid")
	w.String(b.uid)
	if m.RequestID != "" {
		w.Key("requestId")
		w.String(m.RequestID)
	}
	if !writeRequest(&w, m) {
		return nil
	}
	return w.Bytes()
}

// writeRequest writes the type of a request and what follows, in JSON; it
// reports whether m is one.
func writeRequest(w *wire.Writer, m *cluster.Message) bool {
	kind := func(n int64) { w.Key("type"); w.Int(n) }
	opts := func() {
		w.Key("opts")
		w.Map(2)
		writeRooms(w, &m.Target)
		w.EndMap()
	}
	switch m.Type {
	case cluster.AllRooms:
		kind(classicAllRooms)
	case cluster.SocketsJoin, cluster.SocketsLeave:
		kind(classicRemoteJoin + int64(m.Type-cluster.SocketsJoin))
		opts()
		w.Key("rooms")
		w.Strings(m.Rooms)
	case cluster.DisconnectSockets:
		kind(classicRemoteDisconnect)
		opts()
		w.Key("close")
		w.Bool(m.Close)
	case cluster.FetchSockets:
		kind(classicRemoteFetch)
		opts()
	case cluster.ServerSideEmit:
		kind(classicServerSideEmit)
		w.Key("data")
		w.Args(m.Args)
	default:
		return false
	}
	w.EndMap()
	return true
}

// appendAckBroadcast encodes a broadcast that asks for acks.
func (b *classicBus) appendAckBroadcast(m *cluster.Message) []byte {
	size := classicOverhead + len(b.uid) + len(m.RequestID) + len(b.nsp) + sizeOf(m)
	w := wire.NewWriter(make([]byte, 0, size), wire.Notepack)
	w.Map(5)
	w.Key("uid")
	w.String(b.uid)
	w.Key("requestId")
	w.String(m.RequestID)
	w.Key("type")
	w.Int(classicBroadcast)
	w.Key("packet")
	writePacket(&w, m, b.nsp)
	w.Key("opts")
	w.Map(3)
	writeRooms(&w, &m.Target)
	w.Key("flags")
	cluster.WriteFlags(&w, m.Target.Flags)
	return w.Bytes()
}

// Answer implements [cluster.Bus].
func (b *classicBus) Answer(request, m *cluster.Message) error {
	if err := b.link.closed(); err != nil {
		return err
	}
	payload := appendClassicAnswer(request, m)
	if payload == nil {
		return nil // a type that has no meaning here
	}
	return b.respond(request.From, m.Type == cluster.ServerSideEmitResponse, payload)
}

// respond publishes an answer for the node uid; common says that it goes to all
// nodes whatever the options.
func (b *classicBus) respond(uid string, common bool, payload []byte) error {
	channel := b.names.response
	if b.opts.PublishOnSpecificResponseChannel && !common && uid != "" {
		channel = b.names.answersOf(uid)
	}
	return b.publish(channel, payload)
}

// appendClassicAnswer encodes an answer; it returns nil for what is none.
func appendClassicAnswer(request, m *cluster.Message) []byte {
	dialect := wire.JSON
	if m.Type == cluster.BroadcastAck {
		dialect = wire.Notepack
	}
	first := wire.First(m.Args) // undefined: no such member
	w := wire.NewWriter(nil, dialect)
	id := wire.M("requestId", wire.String(request.RequestID))
	switch m.Type {
	case cluster.FetchSocketsResponse:
		return appendSocketsAnswer(&w, request, m)
	case cluster.AllRoomsResponse:
		w.Value(wire.Map(id, wire.M("rooms", wire.Strings(m.Rooms))))
	case cluster.ServerSideEmitResponse:
		w.Value(wire.Map(wire.M("type", wire.Int(classicServerSideEmit)), id, wire.M("data", first)))
	case cluster.BroadcastClientCount:
		w.Value(wire.Map(wire.M("type", wire.Int(classicClientCount)), id, wire.M("clientCount", wire.Int(int64(m.ClientCount)))))
	case cluster.BroadcastAck:
		w.Value(wire.Map(wire.M("type", wire.Int(classicBroadcastAck)), id, wire.M("packet", first)))
	default:
		return nil
	}
	return w.Bytes()
}

// appendSocketsAnswer encodes descriptions of sockets, or their ids for an old
// node.
func appendSocketsAnswer(w *wire.Writer, request, m *cluster.Message) []byte {
	w.Map(2)
	w.Key("requestId")
	w.String(request.RequestID)
	w.Key("sockets")
	if request.Note == noteIDs {
		w.Array(len(m.Sockets))
		for i := range m.Sockets {
			w.String(m.Sockets[i].ID)
		}
		w.EndArray()
	} else {
		cluster.WriteSockets(w, m.Sockets)
	}
	w.EndMap()
	return w.Bytes()
}
