package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio/parser"
)

// client is one Engine.IO session, shared by the Sockets of several
// namespaces; it is the session's value. The decoder belongs to the session's
// receiving goroutine, what is under mu to whoever holds it.
type client struct {
	srv     *Server
	session *engineio.Session
	decoder parser.Decoder
	waiting atomic.Int32 // events in mailboxes
	ended   atomic.Bool  // no packet counts any more

	// mu guards what follows, and the fields of the Sockets that say so. Under
	// it CONNECT replies are queued, which does not block.
	mu      sync.Mutex
	first   atomic.Pointer[Socket] // the only one, mostly; may be read without mu
	others  *others                // nil until there are some
	connect *engineio.Timer        // until a namespace is joined
	box     mailboxes
	rates   *rates // nil: none is bounded; the receiving goroutine's
}

// others is what few clients have: more than one Socket, or one that left. The
// client's mu guards it.
type others struct {
	sockets []*Socket
	left    []string  // names of namespaces that were joined and left, see missing
	leaving []*leaver // those whose hooks have not returned, see follows
}

// more returns the Sockets but the first. It needs mu.
func (c *client) more() []*Socket {
	if c.others == nil {
		return nil
	}
	return c.others.sockets
}

// another is c.others, made when it is not there. It needs mu.
func (c *client) another() *others {
	if c.others == nil {
		c.others = new(others)
	}
	return c.others
}

// engineHandler makes a Server the Handler of its engine, without methods of
// its own.
type engineHandler struct{ srv *Server }

// OnOpen makes the client of a session.
func (h engineHandler) OnOpen(session *engineio.Session) {
	srv := h.srv
	c := &client{srv: srv, session: session}
	c.decoder = srv.cfg.Parser.NewDecoder(parser.Limits{Attachments: srv.cfg.MaxAttachments})
	c.rates = srv.cfg.Limits.newRates()
	session.SetValue(c)
	if d := srv.cfg.ConnectTimeout; d > 0 {
		c.connect = new(engineio.Timer)
		srv.engine.After(c.connect, d, c.neverConnected)
	}
	c.rules().opened(c)
}

// OnMessage takes a message of a session.
func (h engineHandler) OnMessage(session *engineio.Session, binary bool, data []byte) {
	session.Value().(*client).message(binary, data)
}

// OnClose ends the client of a session.
func (h engineHandler) OnClose(session *engineio.Session, reason engineio.Reason, err error) {
	c, ok := session.Value().(*client)
	if !ok {
		return
	}
	r := engineReason(reason)
	if h.srv.closing.Load() {
		r = ServerShuttingDown
	}
	c.end(r, err)
}

// message takes one Engine.IO message. It runs on the receiving goroutine.
func (c *client) message(binary bool, data []byte) {
	if c.ended.Load() {
		return
	}
	if c.rates != nil {
		c.rates.read(len(data))
	}
	p, ok, err := c.decoder.Decode(binary, data)
	switch {
	case err != nil:
		c.closeAs(ForcedClose, err) // whether a GET waits or not, as the official server has it
	case ok:
		p = c.rules().address(p)
		c.packet(&p)
	}
}

func (c *client) packet(p *parser.Packet) {
	if c.rates != nil {
		if l := c.rates.judge(p); l != limitNone {
			c.excess(p, l)
			return
		}
	}
	c.dispatch(p)
}

// dispatch hands a packet to its Socket.
func (c *client) dispatch(p *parser.Packet) {
	if p.Type == parser.Connect {
		c.connectTo(p)
		return
	}
	s := c.socket(p.Namespace)
	switch {
	case p.Type == parser.ConnectError:
		c.close(errUnexpected("CONNECT_ERROR from a client"))
	case s == nil:
		c.missing(p)
	case p.JSON == nil && p.Type != parser.Disconnect || p.Type == parser.Ack && !p.HasID:
		// means nothing, and harms nobody
	case p.Type == parser.Disconnect:
		s.depart()
	case p.JSON == nil: // means nothing, and is ignored where it belongs
	case p.Type == parser.Event:
		c.post(s, newEvent(s, p))
	case p.HasID:
		s.answered(p)
	}
}

// missing takes a packet for a namespace that the client is not in. It may
// have crossed our DISCONNECT, or come after the client's own: then it is
// dropped. Otherwise the connection is closed. Socket.IO v5, "Disconnection".
func (c *client) missing(p *parser.Packet) {
	c.mu.Lock()
	crossed := c.others != nil && slices.Contains(c.others.left, p.Namespace)
	c.mu.Unlock()
	if crossed {
		return
	}
	c.close(errUnexpected("packet for a namespace that is not joined"))
}

// connectTo takes a CONNECT packet.
func (c *client) connectTo(p *parser.Packet) {
	n, held, err := c.srv.acquire(p.Namespace)
	if err != nil {
		_ = c.refuse(p.Namespace, err, nil)
		return
	}
	s := newSocket(n, c, p.JSON)
	s.held = held
	waits, err := c.admit(s)
	switch {
	case waits:
		return
	case err == nil:
		c.srv.workers.run(s)
		return
	}
	s.letGo()
	var over *LimitError
	switch {
	case errors.As(err, &over):
		_ = c.refuse(p.Namespace, over, nil)
	case err != errEnded && err != errRepeated:
		c.close(err)
	}
}

// admit puts a Socket among those of the client; waits says that somebody else begins
// its work. The error is the client's fault.
func (c *client) admit(s *Socket) (waits bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.find(s.ns.name)
	switch {
	case c.ended.Load():
		return false, errEnded
	case old != nil && old.repeatedBy(s):
		return false, errRepeated
	case old != nil:
		return false, errUnexpected("second CONNECT for namespace " + s.ns.name)
	case c.full():
		return false, c.srv.exceeded(limitNamespaces)
	case c.first.Load() == nil:
		c.first.Store(s)
	default:
		o := c.another()
		o.sockets = append(o.sockets, s)
	}
	s.working = true
	return c.follows(s), nil
}

// repeatedBy reports whether the CONNECT of other asks for nothing new: it says what
// that of s has said, and no DISCONNECT came between. Clients send that when connect
// follows disconnect before the answer has come, which is then the answer to both. It
// needs the client's mu.
func (s *Socket) repeatedBy(other *Socket) bool {
	return s.client.rules().repeats() && !s.departing && bytes.Equal(s.auth, other.auth)
}

// refuse sends a CONNECT_ERROR that tells of err, and returns err. Where the
// application's part of the telling panics it says no more than that there was an
// error, and the panic is joined to err. s, if there is one, is taken out of the
// client's together with the answer: the next CONNECT is not answered before.
func (c *client) refuse(ns string, err error, s *Socket) error {
	var payload json.RawMessage
	tell := func(err error) error {
		return c.srv.guarded(func() error { payload = c.rules().refusal(c.srv, err); return nil })
	}
	if failed := tell(err); failed != nil {
		_ = tell(failed)
		err = errors.Join(err, failed)
	}
	if payload == nil { // the codec has failed twice
		payload = c.rules().lastWord()
	}
	w := getWriter()
	defer putWriter(w)
	w.packet = parser.Packet{Type: parser.ConnectError, Namespace: ns, Args: parser.Args{JSON: payload}}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s != nil {
		c.remove(s)
	}
	_ = c.send(w, engineio.Must) // closed: nobody waits for the answer
	return err
}

// send encodes w.packet and sends it.
func (c *client) send(w *writer, f engineio.SendFlags) error {
	if c.waiting.Load() > 0 {
		f |= engineio.Later
	}
	return c.session.Send(f, w.unit(c.srv.cfg.Parser, &w.packet)...)
}

// socket returns the Socket of a namespace, or nil. One that is about to be removed may
// be returned, whose state tells.
func (c *client) socket(ns string) *Socket {
	if s := c.first.Load(); s != nil && s.ns.name == ns {
		return s
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.find(ns)
}

// find needs mu.
func (c *client) find(ns string) *Socket {
	if s := c.first.Load(); s != nil && s.ns.name == ns {
		return s
	}
	for _, s := range c.more() {
		if s.ns.name == ns {
			return s
		}
	}
	return nil
}

// remove needs mu.
func (c *client) remove(s *Socket) {
	more := c.more()
	last := len(more) - 1
	if c.first.Load() == s {
		if last < 0 {
			c.first.Store(nil)
			return
		}
		c.first.Store(more[last])
	} else {
		i := slices.Index(more, s)
		if i < 0 {
			return
		}
		more[i] = more[last]
	}
	more[last] = nil
	if c.others.sockets = more[:last]; last == 0 {
		c.others.sockets = nil
	}
}

// full reports whether the client may join no more namespaces. It needs mu.
func (c *client) full() bool {
	most := c.srv.cfg.Limits.NamespacesPerConnection
	return most > 0 && c.first.Load() != nil && 1+len(c.more()) >= most
}

// maxLeft is how many namespaces that were left a client has remembered, the
// latest ones: packets of no others can still be on their way.
const maxLeft = 64

// remember notes a namespace that was left. It needs mu.
func (c *client) remember(n *Namespace) {
	if c.ended.Load() {
		return // no packet counts any more
	}
	o := c.another()
	if i := slices.Index(o.left, n.name); i >= 0 {
		o.left = slices.Delete(o.left, i, i+1)
	} else if len(o.left) == maxLeft {
		o.left = slices.Delete(o.left, 0, 1)
	}
	o.left = append(o.left, n.name)
}

// sockets returns all Sockets.
func (c *client) sockets() []*Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := c.first.Load()
	if first == nil {
		return nil
	}
	return append([]*Socket{first}, c.more()...)
}

// neverConnected is called by the connect timeout.
func (c *client) neverConnected() {
	c.mu.Lock()
	over := c.connect != nil
	c.mu.Unlock()
	if over {
		c.close(errUnexpected("no namespace was joined in time"))
	}
}

// stopConnectTimer needs mu.
func (c *client) stopConnectTimer() {
	if c.connect != nil {
		c.connect.Stop()
		c.connect = nil
	}
}

// close closes the connection for cause, the client's fault.
func (c *client) close(cause error) {
	reason := ForcedClose
	if c.session.Transport() == engineio.Polling && !c.session.Writable() {
		reason = ForcedServerClose
	}
	c.closeAs(reason, cause)
}

func (c *client) closeAs(reason Reason, cause error) {
	c.logFault(cause)
	c.end(reason, cause)
	c.session.Close(false)
}

// end makes every Socket leave. The session is closed by the caller, or was.
func (c *client) end(reason Reason, err error) {
	if !c.ended.CompareAndSwap(false, true) {
		return
	}
	c.mu.Lock()
	c.stopConnectTimer()
	c.wake()
	c.mu.Unlock()
	cause := &DisconnectError{Reason: reason, Err: err}
	for _, s := range c.sockets() {
		s.leave(cause, leaveQuietly)
	}
}

// protocolError is a packet that is well-formed but out of place.
type protocolError string

func errUnexpected(text string) error { return protocolError(text) }

const (
	errEnded    = protocolError("the connection has ended")
	errRepeated = protocolError("CONNECT repeated")
)

func (e protocolError) Error() string { return "socketio: " + string(e) }
