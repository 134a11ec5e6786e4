package rest

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/hermod-io/hermod/wscore"
)

// Peer is the other end of a connection: what it asks is handed to the
// Options' Handler, and it can be asked. There is one on each side of each
// connection. Its methods may be called from any goroutine, also from a handler
// of the same connection.
type Peer struct {
	p         *wscore.Process
	o         *Options
	format    format
	sequenced bool
	local     bool // both ends are on this machine
	ctx       context.Context
	end       context.CancelCauseFunc
	stats     stats
	coding    coding        // of the process's sending side and reader
	alone     chan struct{} // holds a token while no call is under way; not sequenced

	mu      sync.Mutex // guards what follows
	calls   map[uint32]chan reply
	last    uint32        // sequence of the last call
	turns   int           // calls that wait for their turn; not sequenced
	late    chan struct{} // closed when the answer has come that nobody waits for any more; nil if there is none. Not sequenced
	running int           // requests being handled each on its own goroutine
	queue   []job         // requests handled in order
	waiting int64         // bytes of them
	working bool          // the goroutine that handles them runs
}

// reply is what ends the wait for an answer.
type reply struct {
	m   message
	err error
}

// Stats counts what went wrong or was refused on a connection.
type Stats struct {
	BadFrames   int64 // frames that could not be read, and requests whose method or URL is none
	LateAnswers int64 // answers that nobody waited for any more, or ever
	Refused     int64 // requests beyond Options.MaxRequests and MaxWaiting
}

type stats struct{ badFrames, lateAnswers, refused atomic.Int64 }

func newPeer(p *wscore.Process, o *Options, f format, sequenced bool) *Peer {
	r := &Peer{p: p, o: o, format: f, sequenced: sequenced, local: isLocal(p), calls: map[uint32]chan reply{}, alone: make(chan struct{}, 1)}
	r.alone <- struct{}{}
	r.ctx, r.end = context.WithCancelCause(context.WithValue(context.Background(), peerKey{}, r))
	return r
}

type peerKey struct{}

// PeerFromContext returns the connection on which a Handler's request came.
func PeerFromContext(ctx context.Context) (*Peer, bool) {
	p, ok := ctx.Value(peerKey{}).(*Peer)
	return p, ok
}

// PeerOf returns the Peer that runs on a connection, also within a protocol that
// wraps it and has a method Unwrap.
func PeerOf(p *wscore.Process) (*Peer, bool) {
	if p == nil {
		return nil, false
	}
	proto := p.Protocol()
	for {
		if r, ok := proto.(*Peer); ok {
			return r, true
		}
		w, ok := proto.(interface{ Unwrap() wscore.Protocol })
		if !ok {
			return nil, false
		}
		proto = w.Unwrap()
	}
}

// Process is the connection.
func (r *Peer) Process() *wscore.Process { return r.p }

// Stats are the counts so far.
func (r *Peer) Stats() Stats {
	return Stats{r.stats.badFrames.Load(), r.stats.lateAnswers.Load(), r.stats.refused.Load()}
}

// isLocal reports whether the other end is on this machine.
func isLocal(p *wscore.Process) bool {
	addr := p.Upgrade().RemoteAddr
	if p.IsClient() {
		if a := p.Conn().RemoteAddr(); a != nil {
			if ap, err := netip.ParseAddrPort(a.String()); err == nil {
				addr = ap.Addr()
			}
		}
	}
	return addr.Unmap().IsLoopback()
}

// OnMessage implements wscore.Protocol.
func (r *Peer) OnMessage(op wscore.Opcode, data []byte) {
	if (op == wscore.OpText) != (r.format == jsonFormat{}) {
		r.badFrame(errFrame)
		return
	}
	if op == wscore.OpText {
		r.onFrame(data, "")
		return
	}
	jumbo, err := splitJumbo(data, func(i, n int, frame []byte) {
		mark := ""
		switch i {
		case 0:
			mark = "[0]"
		case n - 1:
			mark = "[1]"
		}
		r.onFrame(frame, mark)
	})
	switch {
	case err != nil:
		r.badFrame(err)
	case !jumbo:
		r.onFrame(data, "")
	}
}

// onFrame handles one frame, whose bytes are lent. mark tells its place in a
// jumbo frame.
func (r *Peer) onFrame(data []byte, mark string) {
	m, err := r.format.parse(data)
	switch {
	case err != nil && isRequest(m.head):
		r.badFrame(err)
		r.answer(m.head, &Answer{Status: 400})
	case err != nil:
		r.badFrame(err)
		if m.head != "" {
			r.resolve(m.head, reply{err: err})
		}
	case isRequest(m.head):
		r.onRequest(m, mark)
	default:
		m.content = append([]byte(nil), m.content...)
		r.resolve(m.head, reply{m: m})
	}
}

func (r *Peer) badFrame(err error) {
	if n := r.stats.badFrames.Add(1); n&(n-1) == 0 { // ever less often: the peer decides how many there are
		r.p.NoteError(err)
	}
}

// resolve hands an answer to the call that waits for it.
func (r *Peer) resolve(head string, got reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, numbered := sequence(head)
	switch {
	case r.late != nil && head == "answer":
		close(r.late)
		r.late = nil
	case numbered == r.sequenced && r.calls[n] != nil && (numbered || head == "answer"):
		r.calls[n] <- got // has room for one
		delete(r.calls, n)
		return
	}
	r.stats.lateAnswers.Add(1)
	if r.p.Logs(wscore.LogCallbacks) {
		r.p.Logger().Debug("rest: answer dropped", "id", r.p.ID(), "head", head)
	}
}

// OnClose implements wscore.Protocol.
func (r *Peer) OnClose(err error) {
	r.end(err)
	r.mu.Lock()
	defer r.mu.Unlock()
	for n, c := range r.calls {
		c <- reply{err: err}
		delete(r.calls, n)
	}
}

// answer sends the answer to a request of that head. One that the send queue does
// not take (wscore.DropNewest) is lost: a peer that counts on the order of answers
// could not tell which, so its connection is closed.
func (r *Peer) answer(head string, a *Answer) {
	err := r.send(r.format.append(nil, a.message(answerHead(head)), 2), false)
	if !errors.Is(err, wscore.ErrQueueFull) {
		return // sent, or the connection has ended
	}
	r.p.NoteError(err)
	if !r.sequenced {
		_ = r.p.Close(wscore.ClosePolicy, "answers are not read")
	}
}

// send sends a frame, at once or gathered.
func (r *Peer) send(frame []byte, later bool) error {
	op := wscore.OpBinary
	if (r.format == jsonFormat{}) {
		op = wscore.OpText
	}
	if later {
		return r.p.SendLater(op, frame)
	}
	return r.p.Send(op, frame)
}
