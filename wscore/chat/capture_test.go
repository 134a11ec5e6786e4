package chat_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hermod-io/hermod/internal/mormotvectors"
	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/chat"
)

// scenario is one of capture-chat.json.
type scenario struct {
	Name   string
	Server struct {
		Protocol, URI   string
		HeartbeatServer int `json:"heartbeat_ms"`
		HeartbeatClient int `json:"client_heartbeat_ms"`
	}
	Handshake struct{ Request, Response string }
	Frames    []frame
	ServerLog []logLine `json:"server_log"`
	ClientLog []logLine `json:"client_log"`
}

// logLine is what an application saw: opcode 0 is the connection's beginning and
// 8 its end.
type logLine struct {
	Event  string
	Opcode int
	Len    int
}

func (l logLine) String() string { return fmt.Sprintf("%d %d", l.Opcode, l.Len) }

func scenarios(t *testing.T) []scenario {
	var f struct{ Scenarios []scenario }
	mormotvectors.Load(t, "capture-chat", &f)
	if len(f.Scenarios) != 7 {
		t.Fatalf("%d scenarios", len(f.Scenarios))
	}
	return f.Scenarios
}

// ephemeral reports whether the URI is one that expires.
func (s *scenario) ephemeral() bool { return s.Server.URI == "(ephemeral)" }

// upgrade is the request with which the recorded connection begins, and its
// answer: the last ones of the handshake's text.
func (s *scenario) upgrade() (request, response string) {
	return s.Handshake.Request[strings.LastIndex(s.Handshake.Request, "GET "):],
		s.Handshake.Response[strings.LastIndex(s.Handshake.Response, "HTTP/1.1 101"):]
}

// saw is what the application was told, as recorded.
func saw(lines []logLine, event string) (list []string) {
	for _, l := range lines {
		if l.Event == event {
			list = append(list, l.String())
		}
	}
	return list
}

func lorem(t *testing.T, n int) []byte {
	return mormotvectors.Expand(t, fmt.Sprintf("lorem(%d)", n), "")
}

func big(t *testing.T, n int) []byte {
	return mormotvectors.Expand(t, fmt.Sprintf("lcg(7,%d)", n), "")
}

// witness notes what an application is told.
type witness struct {
	mu     sync.Mutex // guards what follows
	events []string
	gone   chan struct{} // closed at the first end
}

func newWitness() *witness { return &witness{gone: make(chan struct{})} }

func (w *witness) see(op wscore.Opcode, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, logLine{Opcode: int(op), Len: n}.String())
}

func (w *witness) list() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.events
}

// options are those of a Chat that w sees.
func (w *witness) options(name, uri string, onMessage func(*wscore.Process, wscore.Opcode, []byte)) chat.Options {
	return chat.Options{Name: name, URI: uri,
		OnOpen: func(*wscore.Process) { w.see(0, 0) },
		OnMessage: func(p *wscore.Process, op wscore.Opcode, data []byte) {
			w.see(op, len(data))
			onMessage(p, op, data)
		},
		OnClose: func(*wscore.Process, error) {
			w.see(wscore.OpClose, 0)
			close(w.gone)
		},
	}
}

// echo is what the recorded server did with a message.
func echo(t *testing.T, prefix string) func(*wscore.Process, wscore.Opcode, []byte) {
	return func(p *wscore.Process, op wscore.Opcode, data []byte) {
		var err error
		command, arg, _ := strings.Cut(string(data), " ")
		n, _ := strconv.Atoi(arg)
		switch command {
		case "/big":
			err = p.Send(wscore.OpBinary, big(t, n))
		case "/many":
			for i := range n {
				err = p.SendLater(wscore.OpText, fmt.Appendf(nil, "async #%d", i+1))
			}
		case "/close":
			err = p.Close(wscore.CloseNoStatus, "")
		default:
			err = p.Send(op, append([]byte(prefix), data...))
		}
		if err != nil {
			t.Error(err)
		}
	}
}
