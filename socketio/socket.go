package socketio

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"sync/atomic"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/engineio"
)

// The states of a Socket, in their order.
const (
	statePending uint32 = iota // middlewares run; emits are sent, broadcasts pass it over
	stateJoining               // the CONNECT reply is being queued, under client.mu
	stateLive
	stateLeaving // nothing is sent any more; what was received is handled
	stateGone    // the rooms were left
)

// Socket is one client in one namespace. Its methods may be called from any
// goroutine.
type Socket struct {
	// The mailbox and the waits for acks are guarded by the client's mu; while
	// working is set a worker, or the receiving goroutine as one, owns the right to
	// run the handlers.

	ns     *Namespace
	client *client
	id     string
	auth   json.RawMessage
	state  atomic.Uint32                 // changed under client.mu
	own    atomic.Pointer[overrides]     // handlers of its own
	data   atomic.Pointer[Data]          // made at first use
	ctx    atomic.Pointer[socketContext] // made at first use
	rec    *recoverable                  // nil when recovery is off; set before the middlewares run

	// guarded by client.mu
	head, tail *Event
	working    bool
	departing  bool // the client's DISCONNECT waits behind its CONNECT
	dismissed  bool // disconnected before its CONNECT was answered, which is still to be done
	phase      phase
	held       bool                   // its namespace lasts until letGo; the worker's
	settled    bool                   // its namespace is there; the worker's
	cause      *DisconnectError       // set when it leaves
	ask        *pendingAck            // the only wait for an ack, mostly
	asks       map[uint64]*pendingAck // the others; nil when there is none
}

// phase is how far the worker of a Socket is.
type phase uint8

const (
	phaseNew       phase = iota // CONNECT is to be handled
	phaseConnected              // OnConnect was called or is being called
	phaseEnded                  // OnDisconnect was called, or never will be
)

func newSocket(n *Namespace, c *client, auth []byte) *Socket {
	s := &Socket{ns: n, client: c, id: c.rules().socketID(n, c.session)}
	if auth != nil {
		s.auth = append(json.RawMessage(nil), auth...)
	}
	return s
}

// newID returns 20 characters that nobody guesses.
func newID() string {
	var b [15]byte
	var text [20]byte
	rand.Read(b[:])
	base64.RawURLEncoding.Encode(text[:], b[:])
	return string(text[:])
}

// ID is the socket's id, and the name of the room that it alone is in. It may
// be shown to others; it is not the session's. Only clients of protocol 4 (see
// [engineio.Config.AllowEIO3]) know no other: theirs is made of the session's
// secret id, so that who learns it can speak for them.
func (s *Socket) ID() string { return s.id }

// Namespace is the namespace that the socket is in.
func (s *Socket) Namespace() *Namespace { return s.ns }

// Handshake tells how the socket connected. It is parsed anew at each call.
func (s *Socket) Handshake() *Handshake {
	return &Handshake{Handshake: s.client.session.Handshake(), auth: s.auth, json: s.ns.srv.cfg.JSON}
}

// Session is the Engine.IO session underneath, which the sockets of one client
// in several namespaces share.
func (s *Socket) Session() *engineio.Session { return s.client.session }

// Connected reports whether the socket is in its namespace: from the end of the
// middlewares until it disconnects.
func (s *Socket) Connected() bool {
	state := s.state.Load()
	if state == stateJoining { // the client may know already
		s.client.mu.Lock()
		state = s.state.Load()
		s.client.mu.Unlock()
	}
	return state == stateLive
}

// Data is what the application attached to the socket; it is never nil.
func (s *Socket) Data() *Data {
	if d := s.data.Load(); d != nil {
		return d
	}
	d := &Data{json: s.ns.srv.cfg.JSON}
	if s.rec != nil {
		d.changed = s.dataChanged
	}
	s.data.CompareAndSwap(nil, d)
	return s.data.Load()
}

// Rooms returns the rooms that the socket is in, the one named by its id
// included, in no order. Within OnDisconnecting they are still there.
func (s *Socket) Rooms() []string { return s.ns.adapter.RoomsOf((*member)(s)) }

// Join puts the socket into rooms; being in one already is no error. It takes
// effect on this node before it returns, whatever the error, and may wait for
// other nodes to know of it, until ctx ends: if they do not in time the error is
// an *adapters.SubscriptionPending. It may be called in a middleware. After the
// socket left its namespace it is ErrClosed; beyond Limits.RoomsPerSocket it joins
// none of rooms and returns a *LimitError.
func (s *Socket) Join(ctx context.Context, rooms ...string) error {
	if s.state.Load() >= stateLeaving {
		return ErrClosed
	}
	var err error
	if most := s.ns.srv.cfg.Limits.RoomsPerSocket; most > 0 {
		err = s.joinWithin(ctx, most, rooms)
	} else {
		err = s.ns.adapter.Join(ctx, (*member)(s), rooms...)
	}
	if s.state.Load() == stateGone {
		// It left while we joined, perhaps before: nobody else cleans up.
		s.ns.adapter.LeaveAll((*member)(s))
		return ErrClosed
	}
	return err
}

// Leave takes the socket out of rooms; those it is not in are passed over.
func (s *Socket) Leave(rooms ...string) { s.ns.adapter.Leave((*member)(s), rooms...) }

// Disconnect makes the socket leave its namespace; with closeConn all sockets
// of the connection leave theirs, and it is closed. What was sent before is
// delivered. Events that wait for their handlers are dropped. It does not wait:
// OnDisconnect is called once the running handler has returned. But with Recovery
// over several nodes what was sent before comes back from the store first, for
// which it waits (cluster.Options.LogPatience). Further calls do nothing.
// While the middlewares of the connection run it makes their outcome a refusal:
// the client gets the error that they return, or else "disconnected"; that at
// once with closeConn.
func (s *Socket) Disconnect(closeConn bool) {
	leaving := []*Socket{s}
	if closeConn {
		leaving = s.client.sockets()
	}
	for _, t := range leaving {
		t.flush()
	}
	s.disconnect(closeConn)
}

// flush waits until what this node has sent to the namespace was handed over, or
// the socket has left.
func (s *Socket) flush() {
	if f, ok := s.ns.recoverer.(adapters.Flusher); ok && s.Connected() {
		f.Flush(s.Context())
	}
}

func (s *Socket) disconnect(closeConn bool) {
	s.dismiss(closeConn)
	if !closeConn {
		s.leave(&DisconnectError{Reason: ServerNamespaceDisconnect}, leaveNotify)
		return
	}
	c := s.client
	for _, t := range c.sockets() {
		t.leave(&DisconnectError{Reason: ServerNamespaceDisconnect}, leaveNotify)
	}
	c.end(ForcedServerClose, nil)
	c.session.Close(false)
}

// member is a Socket as adapters see it.
type member Socket

// ID implements adapters.Member.
func (m *member) ID() string { return m.id }

// Pending implements adapters.Member. Who is joining is as good as joined.
func (m *member) Pending() bool { return (*Socket)(m).state.Load() == statePending }

// Disconnect implements adapters.Member: it does not wait.
func (m *member) Disconnect(closeConn bool) { (*Socket)(m).disconnect(closeConn) }

// Info implements adapters.Member.
func (m *member) Info() adapters.SocketInfo {
	s := (*Socket)(m)
	if !s.Connected() {
		return adapters.SocketInfo{}
	}
	info := adapters.SocketInfo{ID: s.id, Handshake: s.Handshake().describe()}
	if d := s.data.Load(); d != nil {
		if text, err := d.MarshalJSON(); err == nil {
			info.Data = text
		}
	}
	return info
}
