package cluster

import (
	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/socketio/parser"
)

// storedSession is a session as it is in the store: the message {sid, pid, rooms,
// data} of the official streams adapter, and a member of ours after it, which
// official nodes pass over. One that an official node has stored has no node,
// and of its track only the rooms.
type storedSession struct {
	session adapters.Session
	node    string // who stored it
	live    bool   // its socket is there
	serial  uint64 // how often its node has stored something, so that no value comes twice
	track
}

// ours is the name of the member that official nodes do not know.
const ours = "hermod"

// encode returns what goes into the store. Data is the JSON text of the session.
func (s *storedSession) encode() []byte {
	rooms := s.rooms()
	from := make([]wire.Value, len(rooms))
	for i, room := range rooms {
		from[i] = wire.String(s.here[room].String())
	}
	past := make([]wire.Value, len(s.past))
	for i, p := range s.past {
		past[i] = wire.Array(wire.String(p.room), wire.String(p.from.String()), wire.String(p.to.String()))
	}
	data := wire.Map()
	if len(s.session.Data) > 0 {
		data = wire.Args(parser.Args{JSON: s.session.Data})
	}
	return wire.Msgpack.Append(nil, wire.Map(
		wire.M("sid", wire.String(s.session.ID)),
		wire.M("pid", wire.String(s.session.PID)),
		wire.M("rooms", wire.Strings(rooms)),
		wire.M("data", data),
		wire.M(ours, wire.Map(
			wire.M("node", wire.String(s.node)),
			wire.M("serial", wire.Uint(s.serial)),
			wire.M("live", wire.Boolean(s.live)),
			wire.M("since", wire.String(s.since.String())),
			wire.M("left", wire.String(s.left.String())),
			wire.M("last", wire.String(s.last.String())),
			wire.M("floor", wire.String(s.floor.String())),
			wire.M("from", wire.Array(from...)),
			wire.M("past", wire.Array(past...)),
		)),
	))
}

// decodeSession reads what is in the store; ok is false when it is no session.
func decodeSession(msg []byte) (s *storedSession, ok bool) {
	v, err := wire.Msgpack.Decode(msg)
	if err != nil || v.Kind() != wire.Dict {
		return nil, false
	}
	s = &storedSession{session: adapters.Session{ID: v.Get("sid").Str(), PID: v.Get("pid").Str(), Rooms: v.Get("rooms").Strings()}}
	s.here = make(map[string]Offset, len(s.session.Rooms))
	for _, room := range s.session.Rooms {
		s.here[room] = Offset{}
	}
	if data := v.Get("data"); data.Kind() != wire.Undefined {
		s.session.Data = wire.JSON.Append(nil, data)
	}
	ok = s.session.ID != "" && s.session.PID != ""
	if more := v.Get(ours); more.Kind() == wire.Dict {
		ok = s.decodeTrack(more) && ok
	}
	return s, ok
}

// decodeTrack reads the member of ours.
func (s *storedSession) decodeTrack(v wire.Value) (ok bool) {
	ok = true
	offset := func(v wire.Value) Offset {
		o, valid := ParseOffset(v.Str())
		ok = ok && valid
		return o
	}
	s.node, s.live = v.Get("node").Str(), v.Get("live").True()
	s.since, s.left = offset(v.Get("since")), offset(v.Get("left"))
	s.last, s.floor = offset(v.Get("last")), offset(v.Get("floor"))
	from := v.Get("from")
	ok = ok && s.node != "" && from.Len() == len(s.session.Rooms)
	for i, o := range from.Elems() {
		if ok {
			s.here[s.session.Rooms[i]] = offset(o)
		}
	}
	for _, p := range v.Get("past").Elems() {
		s.past = append(s.past, stay{p.At(0).Str(), offset(p.At(1)), offset(p.At(2))})
	}
	return ok
}

// newestKnown is the latest offset in s: who restores it must have got there.
func (s *storedSession) newestKnown() Offset {
	o := later(later(s.since, s.left), later(s.last, s.floor))
	for _, from := range s.here {
		o = later(o, from)
	}
	for _, p := range s.past {
		o = later(o, p.to)
	}
	return o
}
