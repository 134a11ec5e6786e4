package socketio

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/hermod-io/hermod/socketio/parser"
)

// Limits bounds what one client may ask for. The official server has none of
// them: those that are on by default are far above what programs need. Numbers:
// 0 is the default, negative is off, but for EventsBurst and BytesBurst, which
// belong to a rate: New refuses negative ones.
//
// What is refused is told: to the client by a CONNECT_ERROR or an error ack
// (code "limit", with the name and the value of the limit as data), to the
// program by a *LimitError and in Stats.
type Limits struct {
	// NamespacesPerConnection is in how many namespaces a client may be at once,
	// those that it is only about to join included; 0 means 1000. The next
	// CONNECT is refused.
	NamespacesPerConnection int
	// DynamicNamespaces is how many children all parents may have together, see
	// Server.OfPattern; 0 means 100,000. A CONNECT that needs one more is
	// refused; Of is not.
	DynamicNamespaces int
	// NamespaceNameLength is the length in bytes of the name of a namespace that
	// a client may cause to be made; 0 means 1024. A longer CONNECT is refused.
	NamespaceNameLength int
	// RoomsPerSocket is in how many rooms Socket.Join may bring a socket, beside
	// the one of its id; 0 is off. A Join that would exceed it changes nothing
	// and returns a *LimitError. SocketsJoin is not bound.
	RoomsPerSocket int
	// EventNameLength is the length in bytes of the name of an event; 0 is off.
	// An event with a longer one is dropped; OnError hears of it.
	EventNameLength int
	// EventsPerSecond is how many events and CONNECTs a client may send on
	// average; 0 is off.
	EventsPerSecond float64
	// EventsBurst is how many of them may come at once; 0 means those of two
	// seconds, at least 1.
	EventsBurst int
	// BytesPerSecond is how much a client may send on average, in bytes of
	// Engine.IO messages, acks included; 0 is off.
	BytesPerSecond float64
	// BytesBurst is how many bytes may come at once; 0 means those of two seconds,
	// at least Engine.MaxHTTPBufferSize, since a larger message is always too much.
	BytesBurst int
	// OnExcess is what happens to what exceeds the two rates; 0 means RefuseEvents.
	// Acks are never refused.
	OnExcess OnExcess
}

// OnExcess says what happens to a client that sends too fast.
type OnExcess uint8

const (
	// RefuseEvents drops each event that is too many, with an error ack if one
	// was asked for, and refuses each CONNECT; OnError hears of every event. The
	// default.
	RefuseEvents OnExcess = iota
	// DisconnectClient closes the connection: the reason is ForcedClose, the
	// cause of the sockets' contexts holds the *LimitError, OnError hears of it.
	DisconnectClient
)

// validate reports what cannot be meant.
func (l *Limits) validate() error {
	switch {
	case l.EventsBurst < 0:
		return errors.New("socketio: Limits.EventsBurst is negative: set EventsPerSecond to 0 for no limit")
	case l.BytesBurst < 0:
		return errors.New("socketio: Limits.BytesBurst is negative: set BytesPerSecond to 0 for no limit")
	}
	return nil
}

// withDefaults returns l with its zero fields filled in; what is off is 0.
func (l Limits) withDefaults(maxMessage int64) Limits {
	number := func(p *int, def int) {
		if *p == 0 {
			*p = def
		}
		*p = max(*p, 0)
	}
	number(&l.NamespacesPerConnection, 1000)
	number(&l.DynamicNamespaces, 100_000)
	number(&l.NamespaceNameLength, 1024)
	number(&l.RoomsPerSocket, 0)
	number(&l.EventNameLength, 0)
	l.EventsPerSecond, l.BytesPerSecond = max(l.EventsPerSecond, 0), max(l.BytesPerSecond, 0)
	number(&l.EventsBurst, max(1, int(2*l.EventsPerSecond)))
	number(&l.BytesBurst, max(int(2*l.BytesPerSecond), int(maxMessage)))
	return l
}

// LimitError reports that a client exceeded one of Config.Limits.
type LimitError struct {
	Limit string  // name of the field of Limits, such as "EventsPerSecond"
	Max   float64 // its value
}

// Error tells the limit and its value.
func (e *LimitError) Error() string {
	return "socketio: limit exceeded: " + e.Limit + " is " + strconv.FormatFloat(e.Max, 'f', -1, 64)
}

const codeLimit = "limit"

// limitData is what the client is told of a limit, in an error ack.
type limitData struct {
	Limit string  `json:"limit"`
	Max   float64 `json:"max"`
}

// refusal is the content of the CONNECT_ERROR.
func (e *LimitError) refusal() *Error {
	return &Error{Message: "limit exceeded", Data: struct {
		Code string `json:"code"`
		limitData
	}{codeLimit, limitData{e.Limit, e.Max}}}
}

// answer is the content of the error ack.
func (e *LimitError) answer() *Error {
	return &Error{Code: codeLimit, Message: "limit exceeded", Data: limitData{e.Limit, e.Max}}
}

// limit numbers the fields of Limits.
type limit uint8

const (
	limitNone limit = iota
	limitNamespaces
	limitDynamic
	limitName
	limitRooms
	limitEventName
	limitEvents
	limitBytes
	limits // how many there are
)

// refusals counts by limit.
type refusals [limits]atomic.Uint64

// Refusals counts what was refused because of Config.Limits, by the name of the
// limit.
type Refusals struct {
	NamespacesPerConnection, DynamicNamespaces, NamespaceNameLength uint64 // CONNECTs
	RoomsPerSocket                                                  uint64 // Joins
	EventNameLength                                                 uint64 // events
	EventsPerSecond, BytesPerSecond                                 uint64 // events, CONNECTs and connections
}

func (r *refusals) all() Refusals {
	return Refusals{
		NamespacesPerConnection: r[limitNamespaces].Load(),
		DynamicNamespaces:       r[limitDynamic].Load(),
		NamespaceNameLength:     r[limitName].Load(),
		RoomsPerSocket:          r[limitRooms].Load(),
		EventNameLength:         r[limitEventName].Load(),
		EventsPerSecond:         r[limitEvents].Load(),
		BytesPerSecond:          r[limitBytes].Load(),
	}
}

// exceeded counts a refusal and returns its error.
func (srv *Server) exceeded(l limit) *LimitError {
	srv.stats.refused[l].Add(1)
	c := &srv.cfg.Limits
	switch l {
	case limitNamespaces:
		return &LimitError{"NamespacesPerConnection", float64(c.NamespacesPerConnection)}
	case limitDynamic:
		return &LimitError{"DynamicNamespaces", float64(c.DynamicNamespaces)}
	case limitName:
		return &LimitError{"NamespaceNameLength", float64(c.NamespaceNameLength)}
	case limitRooms:
		return &LimitError{"RoomsPerSocket", float64(c.RoomsPerSocket)}
	case limitEventName:
		return &LimitError{"EventNameLength", float64(c.EventNameLength)}
	case limitEvents:
		return &LimitError{"EventsPerSecond", c.EventsPerSecond}
	}
	return &LimitError{"BytesPerSecond", c.BytesPerSecond}
}

// rates are the rates of one client. They belong to the receiving goroutine.
type rates struct {
	events, bytes *rate.Limiter // nil: off
	tooMuch       bool          // a message of the packet that is being received was too much
}

// newRates returns nil if nothing is bounded.
func (l *Limits) newRates() *rates {
	if l.EventsPerSecond == 0 && l.BytesPerSecond == 0 {
		return nil
	}
	r := new(rates)
	if l.EventsPerSecond > 0 {
		r.events = rate.NewLimiter(rate.Limit(l.EventsPerSecond), l.EventsBurst)
	}
	if l.BytesPerSecond > 0 {
		r.bytes = rate.NewLimiter(rate.Limit(l.BytesPerSecond), l.BytesBurst)
	}
	return r
}

// read counts a message of n bytes.
func (r *rates) read(n int) {
	if r.bytes != nil && !r.bytes.AllowN(time.Now(), n) {
		r.tooMuch = true
	}
}

// judge counts a packet, and says what it exceeds.
func (r *rates) judge(p *parser.Packet) limit {
	tooMuch := r.tooMuch
	r.tooMuch = false
	switch {
	case p.Type != parser.Event && p.Type != parser.Connect:
		return limitNone
	case tooMuch:
		return limitBytes
	case r.events != nil && !r.events.Allow():
		return limitEvents
	}
	return limitNone
}

// excess refuses a packet.
func (c *client) excess(p *parser.Packet, l limit) {
	c.mu.Lock()
	s := c.find(p.Namespace) // not by socket: one that is just leaving is out of place
	c.mu.Unlock()
	connect := p.Type == parser.Connect
	switch {
	case c.srv.cfg.Limits.OnExcess == DisconnectClient:
		c.close(c.srv.exceeded(l))
	case connect == (s != nil): // out of place, whatever their number
		c.dispatch(p)
	case connect:
		_ = c.refuse(p.Namespace, c.srv.exceeded(l), nil)
	case p.JSON != nil:
		e := newEvent(s, p)
		e.limit = l
		c.post(s, e)
	}
}

// bounded returns what an event exceeds.
func (s *Socket) bounded(e *Event) error {
	srv := s.ns.srv
	if e.limit != limitNone {
		return srv.exceeded(e.limit)
	}
	if most := srv.cfg.Limits.EventNameLength; most > 0 {
		if name, _ := e.Encoded().EventName(); len(name) > most {
			e.name = strings.ToValidUTF8(string(name[:most]), "") // no more of it goes anywhere
			return srv.exceeded(limitEventName)
		}
	}
	return nil
}

// others counts rooms that are not the socket's own.
func (s *Socket) others(rooms map[string]struct{}) int {
	n := len(rooms)
	if _, ok := rooms[s.id]; ok {
		n--
	}
	return n
}

// roomsNow returns the rooms of the socket as a set.
func (s *Socket) roomsNow() map[string]struct{} {
	rooms := make(map[string]struct{})
	for _, name := range s.Rooms() {
		rooms[name] = struct{}{}
	}
	return rooms
}

// joinWithin joins rooms unless that would exceed most. When several Joins at
// once do so together, those that find it exceeded take theirs back.
func (s *Socket) joinWithin(ctx context.Context, most int, rooms []string) error {
	before := s.roomsNow()
	var fresh []string
	with := s.others(before)
	seen := make(map[string]struct{}, len(rooms))
	for _, name := range rooms {
		_, there := before[name]
		_, twice := seen[name]
		if seen[name] = struct{}{}; !there && !twice && name != s.id {
			fresh = append(fresh, name)
		}
	}
	if len(fresh) > 0 && with+len(fresh) > most {
		return s.ns.srv.exceeded(limitRooms)
	}
	err := s.ns.adapter.Join(ctx, (*member)(s), rooms...)
	if len(fresh) > 0 && s.others(s.roomsNow()) > most {
		s.Leave(fresh...)
		return errors.Join(s.ns.srv.exceeded(limitRooms), err)
	}
	return err
}
