package socketio

import (
	"encoding/json"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio/parser"
)

// rules is what the version of the Socket.IO protocol decides. It follows from
// the Engine.IO version of the session; nothing else tells the versions apart.
type rules interface {
	// opened is called when a session has opened.
	opened(c *client)
	// address makes the namespace of a packet, and the auth of a CONNECT, what
	// they are in protocol 5. It works on a copy: a pointer would put every packet
	// on the heap.
	address(p parser.Packet) parser.Packet
	// socketID makes the id of a Socket.
	socketID(n *Namespace, session *engineio.Session) string
	// welcome appends the payload of the answer to a CONNECT; nothing means none.
	welcome(dst []byte, s *Socket) []byte
	// recovers reports whether a client can continue a session.
	recovers() bool
	// repeats reports whether a client may send a CONNECT twice.
	repeats() bool
	// refusal is the payload of the answer to a CONNECT that was refused.
	refusal(srv *Server, err error) json.RawMessage
	// lastWord is that when nothing can be encoded.
	lastWord() json.RawMessage
}

func (c *client) rules() rules {
	if c.session.Protocol() == 3 {
		return rules4{}
	}
	return rules5{}
}

// rules5 is protocol 5, of the clients since 3.0.
type rules5 struct{}

func (rules5) opened(*client) {}

func (rules5) address(p parser.Packet) parser.Packet { return p }

func (rules5) socketID(*Namespace, *engineio.Session) string { return newID() }

func (rules5) welcome(dst []byte, s *Socket) []byte {
	dst = append(append(dst, `{"sid":"`...), s.id...)
	if s.rec != nil {
		dst = append(append(dst, `","pid":"`...), s.rec.pid...)
	}
	return append(dst, `"}`...)
}

func (rules5) recovers() bool { return true }

func (rules5) repeats() bool { return true }

func (rules5) lastWord() json.RawMessage { return json.RawMessage(`{"message":"internal error"}`) }

func (rules5) refusal(srv *Server, err error) json.RawMessage {
	message, data := explain(err)
	return srv.connectError(message, data)
}
