package socketio

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/internal/formquery"
	"github.com/hermod-io/hermod/socketio/parser"
)

// rules4 is protocol 4, of the clients before 3.0, which come over Engine.IO 3.
// Socket.IO protocol v4.
type rules4 struct{}

// opened joins the main namespace, for which these clients send no CONNECT.
func (rules4) opened(c *client) {
	c.connectTo(&parser.Packet{Type: parser.Connect, Namespace: "/"})
}

// address takes the query off a namespace: it is what the auth is now.
func (rules4) address(p parser.Packet) parser.Packet {
	name, query, _ := strings.Cut(p.Namespace, "?")
	p.Namespace = name
	if p.Type != parser.Connect {
		return p
	}
	p.JSON = nil
	values := maps.Collect(formquery.Pairs(query))
	if len(values) > 0 {
		p.JSON, _ = json.Marshal(values) // of strings: that does not fail
	}
	return p
}

// socketID is what these clients work out for themselves.
func (rules4) socketID(n *Namespace, session *engineio.Session) string {
	if n.name == "/" {
		return session.ID()
	}
	return n.name + "#" + session.ID()
}

func (rules4) welcome(dst []byte, _ *Socket) []byte { return dst }

func (rules4) recovers() bool { return false }

func (rules4) repeats() bool { return false }

func (rules4) lastWord() json.RawMessage { return json.RawMessage(`"internal error"`) }

// refusal is the error's data alone, or its text if what the data are counts as
// false in JavaScript. An unknown namespace is answered as in protocol 5.
func (rules4) refusal(srv *Server, err error) json.RawMessage {
	message, data := explain(err)
	if err == errInvalidNamespace {
		return srv.connectError(message, nil)
	}
	text, attachments, encErr := srv.cfg.JSON.Append(nil, nil, data)
	if encErr == nil && len(attachments) == 0 {
		switch string(text) {
		case "null", "false", "0", `""`:
		default:
			return text
		}
	}
	text, _, _ = srv.cfg.JSON.Append(nil, nil, message)
	return text
}
