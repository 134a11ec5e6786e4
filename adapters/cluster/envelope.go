package cluster

import (
	"maps"
	"slices"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
)

// HasData reports whether messages of this type have a data member. Heartbeats
// and AdapterClose have none; nor has a type that the official ClusterAdapter
// does not know.
func (t Type) HasData() bool { return t >= Broadcast && t <= BroadcastAck }

// Binary reports whether m is written as MessagePack by the adapters that
// choose: it holds binary values, and its type is one of those that the official
// adapters look into. All others are written as JSON.
func (m *Message) Binary() bool {
	switch m.Type {
	case Broadcast:
		return m.Packet != nil && wire.HasBinary(m.Packet.Args)
	case ServerSideEmit:
		return wire.HasBinary(m.Args)
	case ServerSideEmitResponse, BroadcastAck:
		first, _ := m.Args.First()
		return wire.HasBinary(first)
	}
	return false
}

// AppendEnvelope appends m as the official sharded adapter publishes it, and
// that of streams beside its stream: {type, data, uid, nsp}. It does not keep m.
func AppendEnvelope(dst []byte, d wire.Dialect, namespace string, m *Message) []byte {
	w := wire.NewWriter(dst, d)
	n := 3
	if m.Type.HasData() {
		n = 4
	}
	w.Map(n)
	w.Key("type")
	w.Int(int64(m.Type))
	if m.Type.HasData() {
		w.Key("data")
		writeData(&w, d, m)
	}
	w.Key("uid")
	w.String(m.From)
	w.Key("nsp")
	w.String(namespace)
	w.EndMap()
	return w.Bytes()
}

// AppendData appends the data member of an envelope alone, as it stands in an
// entry of a stream. The type of m must be one that HasData.
func AppendData(dst []byte, d wire.Dialect, m *Message) []byte {
	w := wire.NewWriter(dst, d)
	writeData(&w, d, m)
	return w.Bytes()
}

// writeData writes what depends on the type. The order of the members is that of
// npm socket.io-adapter 2.5.
func writeData(w *wire.Writer, d wire.Dialect, m *Message) {
	switch m.Type {
	case Broadcast:
		writeBroadcast(w, m)
	case SocketsJoin, SocketsLeave:
		w.Map(2)
		writeTarget(w, m.Target)
		w.Key("rooms")
		w.Strings(m.Rooms)
	case DisconnectSockets:
		w.Map(2)
		writeTarget(w, m.Target)
		w.Key("close")
		w.Bool(m.Close)
	case FetchSockets:
		w.Map(2)
		writeTarget(w, m.Target)
		writeRequestID(w, m)
	case FetchSocketsResponse:
		w.Map(2)
		writeRequestID(w, m)
		w.Key("sockets")
		writeSockets(w, m.Sockets)
	case ServerSideEmit:
		if m.RequestID != "" {
			w.Map(2)
			writeRequestID(w, m)
		} else {
			w.Map(1)
		}
		w.Key("packet")
		w.Args(m.Args)
	case ServerSideEmitResponse, BroadcastAck:
		writeAnswer(w, d, m)
	case BroadcastClientCount:
		w.Map(2)
		writeRequestID(w, m)
		w.Key("clientCount")
		w.Int(int64(m.ClientCount))
	default:
		w.Map(0)
	}
	w.EndMap()
}

func writeBroadcast(w *wire.Writer, m *Message) {
	n := 2
	if m.RequestID != "" {
		n = 3
	}
	w.Map(n)
	w.Key("packet")
	n = 2
	if m.Packet.HasID {
		n = 3
	}
	w.Map(n)
	w.Key("type")
	w.Int(int64(m.Packet.Type))
	w.Key("data")
	w.Args(m.Packet.Args)
	if m.Packet.HasID {
		w.Key("id")
		w.Uint(m.Packet.ID)
	}
	w.EndMap()
	if m.RequestID != "" {
		writeRequestID(w, m)
	}
	writeTarget(w, m.Target)
}

// writeAnswer writes the first of the arguments. If there is none it is
// undefined: left out, but in Msgpack.
func writeAnswer(w *wire.Writer, d wire.Dialect, m *Message) {
	first, ok := m.Args.First()
	if !ok && d != wire.Msgpack {
		w.Map(1)
		writeRequestID(w, m)
		return
	}
	w.Map(2)
	writeRequestID(w, m)
	w.Key("packet")
	w.Args(first)
}

func writeRequestID(w *wire.Writer, m *Message) {
	w.Key("requestId")
	w.String(m.RequestID)
}

func writeTarget(w *wire.Writer, t adapters.Target) {
	w.Key("opts")
	w.Map(3)
	w.Key("rooms")
	w.Strings(t.Rooms)
	w.Key("except")
	w.Strings(t.Except)
	w.Key("flags")
	writeFlags(w, t.Flags)
	w.EndMap()
}

func writeFlags(w *wire.Writer, f adapters.Flags) {
	n := 0
	for _, set := range [...]bool{f.Volatile, f.NoCompress, f.Single, f.Timeout > 0} {
		if set {
			n++
		}
	}
	w.Map(n)
	if f.Volatile {
		w.Key("volatile")
		w.Bool(true)
	}
	if f.NoCompress {
		w.Key("compress")
		w.Bool(false)
	}
	if f.Single {
		w.Key("expectSingleResponse")
		w.Bool(true)
	}
	if f.Timeout > 0 {
		w.Key("timeout")
		w.Int(int64((f.Timeout + time.Millisecond - 1) / time.Millisecond)) // up, since 0 would be none
	}
	w.EndMap()
}

func writeSockets(w *wire.Writer, all []adapters.SocketInfo) {
	w.Array(len(all))
	for i := range all {
		s := &all[i]
		w.Map(4)
		w.Key("id")
		w.String(s.ID)
		w.Key("handshake")
		writeHandshake(w, &s.Handshake)
		w.Key("rooms")
		w.Strings(s.Rooms)
		w.Key("data")
		writeObject(w, s.Data)
		w.EndMap()
	}
	w.EndArray()
}

func writeHandshake(w *wire.Writer, h *adapters.Handshake) {
	w.Map(9)
	w.Key("headers")
	writeSorted(w, h.Headers)
	w.Key("time")
	w.String(h.Time)
	w.Key("address")
	w.String(h.Address)
	w.Key("xdomain")
	w.Bool(h.XDomain)
	w.Key("secure")
	w.Bool(h.Secure)
	w.Key("issued")
	w.Int(h.Issued)
	w.Key("url")
	w.String(h.URL)
	w.Key("query")
	writeSorted(w, h.Query)
	w.Key("auth")
	writeObject(w, h.Auth)
	w.EndMap()
}

// writeSorted writes a map in the order of its names.
func writeSorted(w *wire.Writer, m map[string]string) {
	w.Map(len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		w.Key(name)
		w.String(m[name])
	}
	w.EndMap()
}

// writeObject writes a JSON text, {} for none, as JavaScript has it then.
func writeObject(w *wire.Writer, text []byte) {
	if len(text) == 0 {
		w.Map(0)
		w.EndMap()
		return
	}
	w.Args(argsOf(text))
}
