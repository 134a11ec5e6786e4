package socketio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Recovery configures connection state recovery. A client whose connection was
// lost, and not left on purpose, comes back as the same Socket: with its id,
// its rooms and its Data, Recovered is true, and it is sent what it missed,
// before the reply to its CONNECT. It works before the first event, and with
// volatile ones.
//
// Every event without an ack carries an offset as one more argument, at its
// end; official clients give it to their listeners as official servers let
// them. An emit to a socket is then a broadcast to its own room: it reports
// nothing about the queue, others in that room hear it too, and after the loss
// of the connection it is kept. Emits of a namespace follow one another, in the
// order of the offsets.
//
// A session is restored once per loss. A client that comes back before its
// first connection was seen to be dead ends that one (TransportClose); its
// OnDisconnect functions have returned before the OnConnect of the new one. If
// they take longer than 10 s the client is a new one. It is also a new one when
// more has been missed than Engine.Queue takes, or than was kept, and when its
// namespace was removed meanwhile (CleanupEmptyChildNamespaces).
type Recovery struct {
	// MaxDisconnection is how long a session waits for its client; 0 means
	// 2 min. JS: maxDisconnectionDuration.
	MaxDisconnection time.Duration
	// NoSkipMiddlewares runs the connection middlewares for a client that is
	// restored, too; broadcasts to it wait meanwhile, within the bound of
	// Engine.Queue. JS: skipMiddlewares (inverted).
	NoSkipMiddlewares bool
	// Bytes bounds the packets that are kept, per namespace; the oldest go
	// first. 0 means 64 MiB. A packet counts its text and about 300 bytes.
	Bytes int
}

func (r *Recovery) validate() error {
	switch {
	case r == nil:
		return nil
	case r.MaxDisconnection < 0:
		return errors.New("socketio: Recovery.MaxDisconnection is negative: leave Recovery nil to switch it off")
	case r.Bytes < 0:
		return errors.New("socketio: Recovery.Bytes is negative: there is no log without a bound")
	}
	return nil
}

func (r *Recovery) withDefaults() *Recovery {
	if r == nil {
		return nil
	}
	out := *r
	out.MaxDisconnection = cmp.Or(out.MaxDisconnection, 2*time.Minute)
	out.Bytes = cmp.Or(out.Bytes, 64<<20)
	return &out
}

// recoverer is an adapter that must be able to restore sessions.
func recoverer(a adapters.Adapter) (adapters.Recoverer, error) {
	r, ok := a.(adapters.Recoverer)
	if !ok {
		_ = a.Close(context.Background()) // it was never used
		return nil, fmt.Errorf("socketio: Recovery needs an adapters.Recoverer, %T is none", a)
	}
	return r, nil
}

// Recovery implements adapters.Local.
func (l *local) Recovery() adapters.Recovery {
	cfg := &l.srv.cfg
	if cfg.Recovery == nil {
		return adapters.Recovery{}
	}
	e := &cfg.Engine
	noticed := cmp.Or(e.PingInterval, 25*time.Second) + cmp.Or(e.PingTimeout, 20*time.Second)
	packets, bytes := queueBounds(e)
	return adapters.Recovery{
		On:               true,
		MaxDisconnection: cfg.Recovery.MaxDisconnection,
		Retention:        cfg.Recovery.MaxDisconnection + max(noticed, 0),
		LogBytes:         cfg.Recovery.Bytes,
		BacklogPackets:   packets,
		BacklogBytes:     bytes,
	}
}

// queueBounds are those of the engine for one client.
func queueBounds(e *engineio.Config) (packets, bytes int) {
	return cmp.Or(e.Queue.Packets, 4096), cmp.Or(e.Queue.Bytes, 4<<20)
}

// SessionExpired implements adapters.Local.
func (l *local) SessionExpired(s adapters.Session) {
	n := (*Namespace)(l)
	hooks := n.table.Load().onExpired
	if hooks == nil {
		return
	}
	n.srv.workers.spawn(func() {
		var err error
		defer n.srv.recovered(&err)
		if s.Data == nil && s.Values != nil {
			s.Data, _ = s.Values.MarshalJSON() // what cannot be encoded is not told
		}
		for _, f := range hooks {
			f(s)
		}
	})
}

// recoverable is what a Socket has when recovery is on.
type recoverable struct {
	pid      string // with the id, changed by restore alone, before the Socket is in a room
	restored bool   // as pid

	mu    sync.Mutex  // guards what follows; held while the adapter's Save is called, which does not block
	saved bool        // the adapter has the session, and it is not the last one
	timer *time.Timer // of the next save; nil if none is due

	// guarded by client.mu
	holding bool             // packets wait for the reply to CONNECT
	missed  []*parser.Packet // what the socket missed
	held    []parser.Packet  // what came for it since
	bytes   int              // of held
}

// saveDelay is how long changes of a socket's data are gathered.
const saveDelay = 50 * time.Millisecond

// restoreTimeout bounds the wait for a session that another socket still has.
const restoreTimeout = 10 * time.Second

// Recovered reports whether the socket continues an earlier one, see
// Config.Recovery.
func (s *Socket) Recovered() bool { return s.rec != nil && s.rec.restored }

// restore continues the session that the client asks for, if it can be had.
func (s *Socket) restore() bool {
	pid, offset, ok := asked(s.auth)
	if !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(s.Context(), restoreTimeout)
	defer cancel()
	fresh, id := s.rec.pid, s.id
	missed, err := s.ns.recoverer.Restore(ctx, pid, offset, s.adopt)
	if err != nil {
		s.logRestore(err)
	}
	c := s.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		s.rec.pid, s.id, s.rec.restored, s.rec.holding = fresh, id, false, false
		s.rec.held, s.rec.bytes = nil, 0 // of the session
		s.data.Store(nil)
		return false
	}
	for p := range missed {
		s.rec.missed = append(s.rec.missed, p)
	}
	return true
}

// asked is what a CONNECT payload says about recovery.
func asked(auth json.RawMessage) (pid, offset string, ok bool) {
	if auth == nil {
		return "", "", false
	}
	var v struct {
		PID    any `json:"pid"`
		Offset any `json:"offset"`
	}
	if json.Unmarshal(auth, &v) != nil {
		return "", "", false
	}
	pid, _ = v.PID.(string)
	offset, isString := v.Offset.(string)
	return pid, offset, pid != "" && (isString && offset != "" || v.Offset == nil)
}

// adopt makes s the Socket of a session. It is not in a room yet.
func (s *Socket) adopt(old adapters.Session) adapters.Member {
	c := s.client
	c.mu.Lock()
	defer c.mu.Unlock()
	s.id, s.rec.pid = old.ID, old.PID
	s.rec.restored, s.rec.holding = true, true
	switch values := old.Values.(type) {
	case *Data:
		s.data.Store(values.belongTo(s))
	default:
		var decoded map[string]any
		if old.Data != nil && s.ns.srv.cfg.JSON.Decode(old.Data, nil, &decoded) == nil {
			s.data.Store(&Data{json: s.ns.srv.cfg.JSON, values: decoded, changed: s.dataChanged})
		}
	}
	return (*member)(s)
}

// session is the session as it is to be saved.
func (s *Socket) session(rooms []string) adapters.Session {
	out := adapters.Session{ID: s.id, PID: s.rec.pid, Rooms: rooms}
	if d := s.data.Load(); d != nil {
		out.Values = d
	}
	return out
}

// saveFirst saves the session at CONNECT.
func (s *Socket) saveFirst() {
	if s.rec == nil {
		return
	}
	s.rec.mu.Lock()
	defer s.rec.mu.Unlock()
	s.rec.saved = true
	s.ns.recoverer.Save((*member)(s), s.session(s.Rooms()))
}

// dataChanged has the session saved soon.
func (s *Socket) dataChanged() {
	r := s.rec
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.saved && r.timer == nil {
		r.timer = time.AfterFunc(saveDelay, s.saveAgain)
	}
}

// saveAgain is called by the timer, which ends with the last save.
func (s *Socket) saveAgain() {
	r := s.rec
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.saved {
		r.timer = nil
		s.ns.recoverer.Save((*member)(s), s.session(s.Rooms()))
	}
}

// lastRooms are the rooms that the session is saved with, before they are left.
func (s *Socket) lastRooms() []string {
	if s.rec == nil {
		return nil
	}
	return s.Rooms()
}

// saveLast saves the session of a Socket that has left for cause, or forgets
// it: also when nobody was told of it, because the Socket never was live.
func (s *Socket) saveLast(cause *DisconnectError, rooms []string, live bool) {
	r := s.rec
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.saved || r.restored
	if r.timer != nil {
		r.timer.Stop()
	}
	r.saved, r.timer = false, nil
	switch {
	case !known:
	case cause != nil && cause.Reason.recoverable() && (live || r.restored):
		s.ns.recoverer.Save(nil, s.session(rooms))
	default:
		s.ns.recoverer.Forget(r.pid)
	}
}

// Supersede implements adapters.Member.
func (m *member) Supersede() {
	s := (*Socket)(m)
	if s.state.Load() >= stateLeaving {
		return
	}
	c := s.client
	c.end(TransportClose, errSuperseded)
	c.session.Close(true)
}

var errSuperseded = errors.New("socketio: the client came back over another connection")
