package cluster

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/socketio/parser"
)

// DialectOf tells JSON from another dialect by the first byte of a message, as
// the official adapters do.
func DialectOf(msg []byte, otherwise wire.Dialect) wire.Dialect {
	if len(msg) > 0 && msg[0] == '{' {
		return wire.JSON
	}
	return otherwise
}

// ParseEnvelope reads what AppendEnvelope writes, and what official nodes,
// emitters and older versions write instead: types and names of rooms may be
// strings or numbers, the rooms of a target may be missing. m and namespace are
// copies. Whatever else is not as it should be is a *[wire.Error], and so are
// messages that would reach other sockets than the sender meant, and events that
// the parsers of clients refuse.
func ParseEnvelope(d wire.Dialect, msg []byte) (m *Message, namespace string, err error) {
	m, namespace, _, err = parseEnvelope(d, msg)
	return m, namespace, err
}

// parseEnvelope returns the arguments of an event, too, as a part of msg.
func parseEnvelope(d wire.Dialect, msg []byte) (m *Message, namespace string, args wire.Value, err error) {
	v, err := d.Decode(msg)
	if err != nil {
		return nil, "", args, err
	}
	m = new(Message)
	var data wire.Value
	for name, member := range v.Members() {
		switch name {
		case "type":
			m.Type = parseType(member)
		case "data":
			data = member
		case "uid":
			m.From = member.Str()
		case "nsp":
			namespace = member.Str()
		}
	}
	p := envelopeParser{d: d}
	p.check(m.From != "", "no uid")
	p.data(m, data)
	if p.err != nil {
		return nil, "", args, p.err
	}
	return m, namespace, p.args, nil
}

// ParseData reads what AppendData writes into m, whose Type is given; see
// [ParseEnvelope]. Types that have no data are not looked into.
func ParseData(d wire.Dialect, msg []byte, m *Message) error {
	_, err := parseData(d, msg, m)
	return err
}

// parseData returns the arguments of an event, too, as a part of msg.
func parseData(d wire.Dialect, msg []byte, m *Message) (args wire.Value, err error) {
	p := envelopeParser{d: d}
	var v wire.Value
	if m.Type.HasData() {
		if v, err = d.Decode(msg); err != nil {
			return args, err
		}
	}
	p.data(m, v)
	return p.args, p.err
}

// ParseType reads the decimal number of a type; 0 if it is none.
func ParseType(s string) Type {
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil {
		return 0
	}
	return Type(n)
}

func parseType(v wire.Value) Type {
	if v.Kind() == wire.Number || v.Kind() == wire.Text {
		return ParseType(v.Str())
	}
	return 0
}

// envelopeParser keeps the first error; then what it returns is of no use.
type envelopeParser struct {
	d    wire.Dialect
	err  error
	args wire.Value // of the packet
}

// check notes an error unless ok.
func (p *envelopeParser) check(ok bool, reason string) bool {
	if !ok && p.err == nil {
		p.err = &wire.Error{Dialect: p.d, Reason: reason}
	}
	return ok
}

// data reads what depends on the type.
func (p *envelopeParser) data(m *Message, v wire.Value) {
	switch {
	case m.Type == InitialHeartbeat || m.Type == Heartbeat || m.Type == AdapterClose:
		return
	case !p.check(m.Type.HasData(), "unknown type of message") || !p.check(v.Kind() == wire.Dict, "data is no object"):
		return
	}
	var packet, opts, rooms, sockets wire.Value
	for name, member := range v.Members() {
		switch name {
		case "packet":
			packet = member
		case "opts":
			opts = member
		case "requestId":
			m.RequestID = member.Str()
		case "rooms":
			rooms = member
		case "close":
			m.Close = member.True()
		case "clientCount":
			n, ok := member.Int()
			p.check(ok && n >= 0 && n <= math.MaxInt32, "clientCount is no number of sockets")
			m.ClientCount = int(n)
		case "sockets":
			sockets = member
		}
	}
	switch m.Type {
	case Broadcast:
		m.Target, m.Packet = p.target(opts), p.packet(packet)
	case SocketsJoin, SocketsLeave:
		m.Target = p.target(opts)
		p.check(rooms.Kind() == wire.List, "rooms is no array")
		m.Rooms = p.strings(rooms, "rooms")
	case DisconnectSockets:
		m.Target = p.target(opts)
	case FetchSockets:
		m.Target = p.target(opts)
		p.check(m.RequestID != "", "request without requestId")
	case ServerSideEmit:
		m.Args, _ = p.event(packet)
	default:
		p.answer(m, packet, sockets)
	}
}

// answer reads the answer to a request.
func (p *envelopeParser) answer(m *Message, packet, sockets wire.Value) {
	p.check(m.RequestID != "", "answer without requestId")
	switch m.Type {
	case ServerSideEmitResponse, BroadcastAck:
		args, err := packet.Ack()
		if err != nil && p.err == nil {
			p.err = err
		}
		m.Args = args
	case FetchSocketsResponse:
		m.Sockets = p.sockets(sockets)
	}
}

// target reads opts. Only what is missing stands for everybody.
func (p *envelopeParser) target(v wire.Value) (t adapters.Target) {
	if !p.check(v.Kind() == wire.Dict, "opts is no object") {
		return t
	}
	for name, member := range v.Members() {
		switch name {
		case "rooms":
			t.Rooms = p.strings(member, "opts.rooms")
		case "except":
			t.Except = p.strings(member, "opts.except")
		case "flags":
			t.Flags = parseFlags(member)
		}
	}
	return t
}

// strings reads an array of names; null and undefined are an empty one.
func (p *envelopeParser) strings(v wire.Value, what string) []string {
	switch v.Kind() {
	case wire.Undefined, wire.Null:
		return nil
	case wire.List:
	default:
		p.check(false, what+" is no array")
		return nil
	}
	var names []string
	for _, e := range v.Elems() {
		if k := e.Kind(); p.check(k == wire.Text || k == wire.Number, what+" has what is no name") {
			names = append(names, e.Str())
		}
	}
	return names
}

// maxTimeout is the longest that JavaScript's timers take.
const maxTimeout = math.MaxInt32

func parseFlags(v wire.Value) (f adapters.Flags) {
	for name, member := range v.Members() {
		switch name {
		case "volatile":
			f.Volatile = member.True()
		case "compress":
			f.NoCompress = member.Kind() == wire.Bool && !member.True()
		case "expectSingleResponse":
			f.Single = member.True()
		case "timeout":
			if ms, ok := member.Float(); ok && ms > 0 {
				f.Timeout = time.Duration(min(ms, maxTimeout) * float64(time.Millisecond))
			}
		}
	}
	return f
}

// binaryEvent is the type of events with binary values in Socket.IO's protocol;
// official nodes write Event for them too.
const binaryEvent = 5

// packet reads an event.
func (p *envelopeParser) packet(v wire.Value) *parser.Packet {
	packet := &parser.Packet{Type: parser.Event}
	if !p.check(v.Kind() == wire.Dict, "packet is no object") {
		return packet
	}
	var data wire.Value
	event := false
	for name, member := range v.Members() {
		switch name {
		case "type":
			n, ok := member.Int()
			event = ok && (n == int64(parser.Event) || n == binaryEvent)
		case "data":
			data = member
		case "id":
			if k := member.Kind(); k == wire.Undefined || k == wire.Null {
				continue
			}
			n, ok := member.Int()
			packet.HasID = p.check(ok && n >= 0, "packet.id is no ack id")
			packet.ID = uint64(n)
		}
	}
	p.check(event, "packet is no event")
	var name []byte
	p.args = data
	packet.Args, name = p.event(data)
	p.check(!parser.Reserved(string(name)), "event with a reserved name")
	return packet
}

// event reads the arguments of an event, which have its name first.
func (p *envelopeParser) event(v wire.Value) (args parser.Args, name []byte) {
	if !p.check(v.Kind() == wire.List, "data of an event is no array") {
		return parser.Args{}, nil
	}
	args, err := v.Args()
	if err != nil && p.err == nil {
		p.err = err
	}
	name, ok := args.EventName()
	p.check(ok, "event without a name")
	return args, name
}

func (p *envelopeParser) sockets(v wire.Value) []adapters.SocketInfo {
	if !p.check(v.Kind() == wire.List, "sockets is no array") {
		return nil
	}
	var all []adapters.SocketInfo
	for _, e := range v.Elems() {
		var s adapters.SocketInfo
		for name, member := range e.Members() {
			switch name {
			case "id":
				s.ID = member.Str()
			case "handshake":
				s.Handshake = parseHandshake(member)
			case "rooms":
				s.Rooms = p.strings(member, "rooms of a socket")
			case "data":
				s.Data = plainJSON(member)
			}
		}
		if p.check(s.ID != "", "socket without id") {
			all = append(all, s)
		}
	}
	return all
}

func parseHandshake(v wire.Value) (h adapters.Handshake) {
	for name, member := range v.Members() {
		switch name {
		case "headers":
			h.Headers = parseMap(member, func(list []string) string { return strings.Join(list, ", ") })
		case "time":
			h.Time = member.Str()
		case "address":
			h.Address = member.Str()
		case "xdomain":
			h.XDomain = member.True()
		case "secure":
			h.Secure = member.True()
		case "issued":
			if ms, ok := member.Int(); ok {
				h.Issued = ms
			}
		case "url":
			h.URL = member.Str()
		case "query":
			h.Query = parseMap(member, func(list []string) string { return list[len(list)-1] })
		case "auth":
			h.Auth = plainJSON(member)
		}
	}
	return h
}

// parseMap reads a map of strings; several are what a header or a parameter had
// that came more than once.
func parseMap(v wire.Value, several func([]string) string) map[string]string {
	m := make(map[string]string)
	for name, member := range v.Members() {
		if list := member.Strings(); len(list) > 0 {
			m[name] = several(list)
		} else {
			m[name] = member.Str()
		}
	}
	return m
}

// plainJSON returns the JSON text of v, nil if it is undefined. Binary values
// are what JSON.stringify makes of a Buffer.
func plainJSON(v wire.Value) []byte {
	if v.Kind() == wire.Undefined {
		return nil
	}
	return wire.JSON.Append(nil, v)
}

// argsOf returns the arguments of which text is the JSON text.
func argsOf(text []byte) parser.Args { return parser.Args{JSON: text} }
