package socketio_test

import (
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/parser"
)

// witness is the default encoding; it looks around before a DISCONNECT leaves.
type witness struct {
	parser.Parser
	look func()
}

func (w *witness) AppendPacket(dst []byte, p *parser.Packet) ([]byte, bool, [][]byte) {
	if p.Type == parser.Disconnect {
		w.look()
	}
	return w.Parser.AppendPacket(dst, p)
}

// Who hears that a socket was disconnected finds it connected nowhere any more.
func TestGoneBeforeTold(t *testing.T) {
	w := &witness{Parser: parser.Default()}
	run(t, socketio.Config{Parser: w}, func(r *rig) {
		for _, closeConn := range []bool{false, true} {
			p := r.join("/")
			s := p.socket()
			told := false
			w.look = func() {
				told = true
				found, err := r.srv.FetchSockets(r.Context())
				if s.Connected() || len(found) != 0 || err != nil {
					r.Errorf("connected %v, %d sockets found, %v", s.Connected(), len(found), err)
				}
			}
			s.Disconnect(closeConn)
			if !told {
				r.Error("no DISCONNECT")
			}
			synctest.Wait()
		}
	})
}
