package redisadapter

import (
	"bytes"
	"errors"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
)

// hear takes a broadcast, or a batch of them. Those to a room without members here
// are not looked into.
func (b *classicBus) hear(in link.Message) {
	if room := b.names.roomOf(in.Channel); room != "" && !b.has(room) {
		return
	}
	b.link.each(in, b.onBroadcast)
}

// onBroadcast takes a broadcast. Our own come back, and are known by their
// beginning.
func (b *classicBus) onBroadcast(in link.Message) {
	if bytes.HasPrefix(in.Payload, b.own) {
		return
	}
	if l := b.recent.Lend(wire.Notepack, in.Payload); l != nil {
		if l.Message.From != b.uid {
			b.link.receive(&l.Message)
		}
		l.Done()
		return
	}
	m, err := parseClassicBroadcast(b.nsp, in.Payload, &b.recent)
	switch {
	case err != nil:
		b.link.poison(in.Channel, err)
	case m != nil && m.From != b.uid:
		b.link.receive(m)
	}
}

// parseClassicBroadcast reads [uid, packet, opts]; nil is one of another
// namespace. recent keeps what was read.
func parseClassicBroadcast(nsp string, payload []byte, recent *cluster.Recent) (*cluster.Message, error) {
	v, err := wire.Notepack.Decode(payload)
	if err != nil {
		return nil, err
	}
	var uid, packet, opts wire.Value
	for i, e := range v.Elems() {
		switch i {
		case 0:
			uid = e
		case 1:
			packet = e
		case 2:
			opts = e
		}
	}
	if of := packet.Get("nsp"); of.Kind() == wire.Undefined && nsp != "/" || of.Kind() != wire.Undefined && of.Str() != nsp {
		return nil, nil
	}
	m := &cluster.Message{Type: cluster.Broadcast, From: uid.Str()}
	if err := parseBroadcast(wire.Notepack, m, packet, opts); err != nil {
		return m, err
	}
	recent.Keep(wire.Notepack, payload, packet.Get("data"), m, nsp)
	return m, nil
}

func parseBroadcast(d wire.Dialect, m *cluster.Message, packet, opts wire.Value) (err error) {
	if m.Target, err = cluster.ParseTarget(d, opts); err != nil {
		return err
	}
	m.Packet, err = cluster.ParsePacket(d, packet)
	return err
}

// onRequest takes a request.
func (b *classicBus) onRequest(in link.Message) {
	r, err := parseClassicRequest(in.Payload)
	if err != nil {
		b.link.poison(in.Channel, err)
		return
	}
	b.moved.note(&r.Message)
	switch {
	case r.From == b.uid: // done when it was sent
	case r.sid != "" && !b.has(r.sid):
	default:
		b.link.receive(&r.Message)
		if r.sid != "" && r.RequestID != "" {
			w := wire.NewWriter(nil, wire.JSON)
			w.Value(wire.Map(wire.M("requestId", wire.String(r.RequestID))))
			_ = b.respond(r.From, false, w.Bytes()) // its sender does not wait for ever
		}
	}
}

// classicRequest is a request of another node or of an emitter.
type classicRequest struct {
	cluster.Message
	// sid is the only socket of an old form, {sid, room}, which is answered with
	// nothing but its requestId by the node that has the socket.
	sid string
}

// noteIDs in a FetchSockets says that only the ids are wanted.
const noteIDs = "ids"

var (
	errClassicType    = errors.New("redisadapter: unknown type of request")
	errClassicRequest = errors.New("redisadapter: request without requestId")
	errClassicAnswer  = errors.New("redisadapter: answer without what it is about")
)

// classicFields are the members of a request or an answer.
type classicFields struct {
	d                                              wire.Dialect
	uid, id, kind, opts, rooms, data, packet, rest wire.Value
	sid, room, close, sockets, count               wire.Value
}

// readClassic reads a message in JSON or in notepack.
func readClassic(payload []byte) (f classicFields, err error) {
	f.d = cluster.DialectOf(payload, wire.Notepack)
	v, err := f.d.Decode(payload)
	if err != nil {
		return f, err
	}
	if v.Kind() != wire.Dict {
		return f, &wire.Error{Dialect: f.d, Reason: "no object"}
	}
	for name, member := range v.Members() {
		*f.field(name) = member
	}
	return f, nil
}

// field returns where a member is put.
func (f *classicFields) field(name string) *wire.Value {
	switch name {
	case "uid":
		return &f.uid
	case "requestId":
		return &f.id
	case "type":
		return &f.kind
	case "opts":
		return &f.opts
	case "rooms":
		return &f.rooms
	case "data":
		return &f.data
	case "packet":
		return &f.packet
	case "sid":
		return &f.sid
	case "room":
		return &f.room
	case "close":
		return &f.close
	case "sockets":
		return &f.sockets
	case "clientCount":
		return &f.count
	}
	return &f.rest
}

// parseClassicRequest reads a request.
func parseClassicRequest(payload []byte) (r classicRequest, err error) {
	f, err := readClassic(payload)
	if err != nil {
		return r, err
	}
	r.From, r.RequestID = f.uid.Str(), f.id.Str()
	kind, ok := f.kind.Int()
	if !ok {
		return r, errClassicType
	}
	switch kind {
	case classicRemoteJoin, classicRemoteLeave, classicRemoteDisconnect:
		return r, r.move(&f, kind)
	case classicServerSideEmit:
		r.Type = cluster.ServerSideEmit
		r.Args, err = cluster.ParseEvent(f.d, f.data)
		return r, err
	}
	if r.RequestID == "" {
		return r, errClassicRequest
	}
	switch kind {
	case classicSockets:
		r.Type, r.Note = cluster.FetchSockets, noteIDs
		r.Target.Rooms, err = cluster.ParseNames(f.d, f.rooms)
	case classicAllRooms:
		r.Type = cluster.AllRooms
	case classicRemoteFetch:
		r.Type = cluster.FetchSockets
		r.Target, err = cluster.ParseTarget(f.d, f.opts)
	case classicBroadcast:
		r.Type = cluster.Broadcast
		err = parseBroadcast(f.d, &r.Message, f.packet, f.opts)
	default:
		err = errClassicType
	}
	return r, err
}

// move reads what sockets are to do.
func (r *classicRequest) move(f *classicFields, kind int64) (err error) {
	r.Type = cluster.SocketsJoin + cluster.Type(kind-classicRemoteJoin)
	r.Close = f.close.True()
	if f.opts.Kind() == wire.Undefined && f.sid.Kind() == wire.Text {
		r.sid = f.sid.Str()
		r.Target.Rooms = []string{r.sid}
		if room := f.room.Str(); kind != classicRemoteDisconnect {
			if r.Rooms = []string{room}; f.room.Kind() == wire.Undefined {
				return &wire.Error{Dialect: f.d, Reason: "no room"}
			}
		}
		return nil
	}
	if r.Target, err = cluster.ParseTarget(f.d, f.opts); err != nil || kind == classicRemoteDisconnect {
		return err
	}
	r.Rooms, err = cluster.ParseNames(f.d, f.rooms)
	return err
}

// onResponse takes an answer. Those for other nodes are told by what is in no
// answer but ours: our name, which is part of each id.
func (b *classicBus) onResponse(in link.Message) {
	if b.opts.ids.request == nil && !bytes.Contains(in.Payload, []byte(b.uid)) {
		return
	}
	m, err := parseClassicAnswer(in.Payload)
	switch {
	case err != nil:
		b.link.poison(in.Channel, err)
	case m != nil:
		b.link.receive(m)
	}
}

// parseClassicAnswer reads an answer; nil is one to a request of an old form.
func parseClassicAnswer(payload []byte) (*cluster.Message, error) {
	f, err := readClassic(payload)
	if err != nil {
		return nil, err
	}
	m := &cluster.Message{RequestID: f.id.Str()}
	if m.RequestID == "" {
		return nil, errClassicAnswer
	}
	kind, _ := f.kind.Int()
	switch {
	case kind == classicServerSideEmit:
		m.Type = cluster.ServerSideEmitResponse
		m.Args, err = f.data.Ack()
	case kind == classicBroadcastAck:
		m.Type = cluster.BroadcastAck
		m.Args, err = f.packet.Ack()
	case kind == classicClientCount:
		m.Type = cluster.BroadcastClientCount
		n, ok := f.count.Int()
		if m.ClientCount = int(n); !ok || n < 0 || int64(m.ClientCount) != n {
			err = errClassicAnswer
		}
	case f.sockets.Kind() != wire.Undefined:
		m.Type = cluster.FetchSocketsResponse
		m.Sockets, err = cluster.ParseSockets(f.d, f.sockets)
	case f.rooms.Kind() != wire.Undefined:
		m.Type = cluster.AllRoomsResponse
		m.Rooms, err = cluster.ParseNames(f.d, f.rooms)
	default:
		return nil, nil
	}
	return m, err
}
