package chat

import (
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"sync"

	"github.com/hermod-io/hermod/internal/shrink"
	"github.com/hermod-io/hermod/wscore"
)

// ErrNoMember is returned by a send to a connection that is not there.
var ErrNoMember = errors.New("chat: no such member")

// Options say what a Chat is called and what the application wants to know. The
// functions may be nil. They are called on the connection's goroutine, one at a
// time for each connection; a panic in one closes that connection (1011).
type Options struct {
	// Name is the subprotocol, and URI the path; see wscore.ProtocolSpec. Without a
	// name the URI is needed.
	Name, URI string
	// OnOpen is called once, first.
	OnOpen func(p *wscore.Process)
	// OnMessage is called for each text or binary message. data is lent.
	OnMessage func(p *wscore.Process, op wscore.Opcode, data []byte)
	// OnClose is called once, last, when the connection is no member any more, but
	// not if OnOpen never was. err is a *wscore.CloseError.
	OnClose func(p *wscore.Process, err error)
	// OnControl is called for pings, pongs and the peer's close frame, if
	// wscore.ProcessSettings.NotifyAllFrames is set. data is lent.
	OnControl func(p *wscore.Process, op wscore.Opcode, data []byte)
}

// Chat is the connections that speak one chat sub-protocol. Its methods may be
// called from any goroutine and do not block. The zero value is not usable, see
// New.
type Chat struct {
	o Options

	mu      sync.RWMutex // guards what follows
	members shrink.Map[*wscore.Process, struct{}]
	byID    shrink.Map[int64, *wscore.Process]
}

// New returns a Chat without members.
func New(o Options) *Chat {
	return &Chat{o: o}
}

// Spec is the protocol for a wscore.ProtocolList or wscore.Client.
func (c *Chat) Spec() wscore.ProtocolSpec {
	spec := wscore.ProtocolSpec{URI: c.o.URI, New: func(p *wscore.Process) wscore.Protocol { return &member{c: c, p: p} }}
	if c.o.Name != "" {
		spec.Names = []string{c.o.Name}
	}
	return spec
}

// Len is the number of members.
func (c *Chat) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.members.Len()
}

// Members are those there are when the iteration begins.
func (c *Chat) Members() iter.Seq[*wscore.Process] {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Values(slices.Collect(c.members.Keys()))
}

// Lookup finds a member by the id of its connection.
func (c *Chat) Lookup(id int64) (*wscore.Process, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p := c.byID.Get(id)
	return p, p != nil
}

// Send sends a message (text or binary) to one member; see wscore.Process.Send.
// ErrNoMember if there is none of that id.
func (c *Chat) Send(id int64, op wscore.Opcode, data []byte) error {
	p, ok := c.Lookup(id)
	if !ok {
		return ErrNoMember
	}
	return p.Send(op, data)
}

// SendJSON sends v as JSON, in a text message, to one member. The error is that of
// encoding/json or of [Chat.Send].
func (c *Chat) SendJSON(id int64, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.Send(id, wscore.OpText, b)
}

// Broadcast sends a message (text or binary) to all members but those of except,
// encoded once, and returns how many took it.
func (c *Chat) Broadcast(op wscore.Opcode, data []byte, except ...*wscore.Process) (n int) {
	if op != wscore.OpText && op != wscore.OpBinary {
		return 0
	}
	m := wscore.NewPrepared(wscore.Message{Op: op, Data: data})
	for p := range c.Members() {
		if !slices.Contains(except, p) && p.SendPrepared(m) == nil {
			n++
		}
	}
	return n
}

// BroadcastJSON is Broadcast of v as JSON, in a text message. The error is that of
// encoding/json.
func (c *Chat) BroadcastJSON(v any, except ...*wscore.Process) (n int, err error) {
	b, err := json.Marshal(v)
	if err != nil {
		return 0, err
	}
	return c.Broadcast(wscore.OpText, b, except...), nil
}

func (c *Chat) add(p *wscore.Process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members.Set(p, struct{}{})
	c.byID.Set(p.ID(), p)
}

func (c *Chat) remove(p *wscore.Process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members.Delete(p)
	if c.byID.Get(p.ID()) == p {
		c.byID.Delete(p.ID())
	}
}

// member is the protocol on one connection.
type member struct {
	c      *Chat
	p      *wscore.Process
	opened bool // OnOpen was called; within package noise it may never be
}

// OnOpen implements wscore.Opener.
func (m *member) OnOpen() {
	m.opened = true
	m.c.add(m.p)
	if f := m.c.o.OnOpen; f != nil {
		f(m.p)
	}
}

// OnMessage implements wscore.Protocol.
func (m *member) OnMessage(op wscore.Opcode, data []byte) {
	if f := m.c.o.OnMessage; f != nil {
		f(m.p, op, data)
	}
}

// OnControl implements wscore.ControlObserver.
func (m *member) OnControl(op wscore.Opcode, data []byte) {
	if f := m.c.o.OnControl; f != nil {
		f(m.p, op, data)
	}
}

// OnClose implements wscore.Protocol.
func (m *member) OnClose(err error) {
	m.c.remove(m.p)
	if f := m.c.o.OnClose; f != nil && m.opened {
		f(m.p, err)
	}
}
