package redisadapter

import (
	"cmp"
	"encoding/base64"
	"strconv"
	"unicode/utf16"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
)

// classicForm is that of npm @socket.io/redis-emitter 5.1.
type classicForm struct {
	key   string
	moved moved // rooms of all namespaces
}

func (f *classicForm) send(l *link.Writer, nsp string, m *cluster.Message) error {
	names := newClassicNames(f.key, nsp, "")
	channel := names.request
	var w wire.Writer // JSON
	switch {
	case m.Type == cluster.Broadcast:
		channel = names.of(&m.Target, &f.moved)
		w = wire.NewWriter(appendClassicHead(make([]byte, 0, classicOverhead+sizeOf(m)), m.From), wire.Notepack)
		writePacket(&w, m, nsp)
		writeEmissionOpts(&w, m)
		w.EndArray()
	case m.Type == cluster.ServerSideEmit:
		w.Map(3)
		w.Key("uid")
		w.String(m.From)
		writeRequest(&w, m)
	default: // those have no uid
		f.moved.note(m)
		w.Map(3)
		writeRequest(&w, m)
	}
	return l.PublishVia(names.all, channel, w.Bytes())
}

// writeEmissionOpts writes the opts of an emitter, whose order is not that of a
// node.
func writeEmissionOpts(w *wire.Writer, m *cluster.Message) {
	w.Map(3)
	w.Key("rooms")
	w.Strings(m.Target.Rooms)
	w.Key("flags")
	cluster.WriteFlags(w, m.Target.Flags)
	w.Key("except")
	w.Strings(m.Target.Except)
	w.EndMap()
}

// streamsForm is that of npm @socket.io/redis-streams-emitter 0.1.1, but that it
// knows of several streams.
type streamsForm struct {
	name   string
	count  int
	maxLen string
}

func newStreamsForm(o *EmitterStreams) streamsForm {
	return streamsForm{cmp.Or(o.Name, "socket.io"), o.Count, strconv.Itoa(cmp.Or(max(o.MaxLen, 0), 10000))}
}

func (f streamsForm) send(l *link.Writer, nsp string, m *cluster.Message) error {
	stream := streamOf(f.name, f.count, nsp)
	return l.Append(link.Command{
		Key: stream,
		Args: []any{
			"XADD", stream, "MAXLEN", "~", f.maxLen, "*",
			"uid", m.From, "nsp", nsp, "type", strconv.Itoa(int(m.Type)), "data", f.data(nsp, m),
		},
		Retry: true,
	})
}

// data is the JSON text of a message's data, or base64 of MessagePack if it has
// binary values.
func (f streamsForm) data(nsp string, m *cluster.Message) []byte {
	d := wire.JSON
	if m.Binary() {
		d = wire.Msgpack
	}
	var data []byte
	if m.Type == cluster.Broadcast {
		w := wire.NewWriter(make([]byte, 0, classicOverhead+sizeOf(m)), d)
		w.Map(2)
		w.Key("packet")
		writePacket(&w, m, nsp)
		w.Key("opts")
		writeEmissionOpts(&w, m)
		w.EndMap()
		data = w.Bytes()
	} else {
		data = cluster.AppendData(nil, d, m)
	}
	if d == wire.JSON {
		return data
	}
	return base64.StdEncoding.AppendEncode(nil, data)
}

// streamOf returns the stream that has the messages of a namespace, when they are
// shared out among count of them. As in the official adapter the number may be
// negative: that is where its nodes write too.
func streamOf(name string, count int, nsp string) string {
	if count <= 1 {
		return name
	}
	var hash int32
	for _, c := range utf16.Encode([]rune(nsp)) {
		hash = hash*31 + int32(c)
	}
	return name + "-" + strconv.Itoa(int(hash)%count)
}
