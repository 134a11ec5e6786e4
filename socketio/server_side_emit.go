package socketio

import (
	"context"
	"log/slog"
	"sync"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/args"
	"github.com/hermod-io/hermod/socketio/parser"
)

// ServerSideEmit sends an event to the namespace on all other nodes, whose
// OnServerSide handlers take it. With the in-memory adapter there is none, and
// nothing happens. ctx bounds the wait for the way out, not for the handlers.
// Errors: an *EncodeError, one that wraps ErrReserved, those of the adapter.
func (n *Namespace) ServerSideEmit(ctx context.Context, event string, args ...any) error {
	return n.serverSideEmit(ctx, event, args, nil)
}

// ServerSideEmitWithAck is ServerSideEmit that waits for the answer of each
// other node, until the deadline of ctx or Config.AckTimeout; then the answers
// that came are returned with an *AckError.
func (n *Namespace) ServerSideEmitWithAck(ctx context.Context, event string, args ...any) (Replies, error) {
	if d := n.ackDeadline(ctx, 0); d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	got := replies{json: n.srv.cfg.JSON}
	err := n.serverSideEmit(ctx, event, args, got.add)
	return got.take(), partial(ctx, err)
}

func (n *Namespace) serverSideEmit(ctx context.Context, event string, args []any, each func(parser.Args)) error {
	switch event {
	case "connect", "connection", "new_namespace":
		return reservedError(event)
	}
	text, attachments, err := parser.AppendEvent(n.srv.cfg.JSON, nil, nil, event, unwrapOwned(args)...)
	if err != nil {
		return &EncodeError{Event: event, Err: err}
	}
	return n.adapter.ServerSideEmit(ctx, parser.Args{JSON: text, Attachments: attachments}, each)
}

// maxServerSide is how many events of other nodes wait for their handlers at most.
const maxServerSide = 4096

// serverBox holds the events of other nodes that wait for their handlers. A
// goroutine handles them, as long as there are any; Server.Close waits for it.
type serverBox struct {
	mu      sync.Mutex // guards what follows
	events  []*Event
	running bool
	dropped int // events since it was full
}

// logServerSideFull tells that events are dropped, once until there is room for all.
func (n *Namespace) logServerSideFull() {
	_ = n.srv.guarded(func() error {
		if n.srv.logs(slog.LevelWarn) {
			n.srv.cfg.Log.Warn("server-side events dropped, their handlers are too slow", slog.String("nsp", n.name), slog.Int("waiting", maxServerSide))
		}
		return nil
	})
}

func (n *Namespace) takeServerSide(got parser.Args, reply func(parser.Args)) {
	e := &Event{Args: args.New(got, n.srv.cfg.JSON, 1), reply: reply, hasID: reply != nil}
	b := &n.serverBox
	b.mu.Lock()
	if len(b.events) >= maxServerSide {
		b.dropped++
		first := b.dropped == 1
		b.mu.Unlock()
		if first {
			n.logServerSideFull()
		}
		return
	}
	b.events = append(b.events, e)
	start := !b.running
	b.running = true
	b.mu.Unlock()
	if start {
		n.srv.workers.spawn(n.runServerSide)
	}
}

func (n *Namespace) runServerSide() {
	b, ended := &n.serverBox, false
	defer func() {
		if !ended { // a handler ended the goroutine
			n.srv.workers.spawn(n.runServerSide)
		}
	}()
	for {
		b.mu.Lock()
		if len(b.events) == 0 {
			b.events, b.running, b.dropped = nil, false, 0
			b.mu.Unlock()
			ended = true
			return
		}
		e := b.events[0]
		b.events[0], b.events = nil, b.events[1:]
		b.mu.Unlock()
		n.handleServerSide(e)
	}
}

func (n *Namespace) handleServerSide(e *Event) {
	f := n.settled().serverSide.all[e.Name()]
	if f == nil {
		return
	}
	n.srv.call(func() error { return f(n.srv.ctx, e) }, func(err error) { n.serverSideFailed(e, err) })
}

// serverSideFailed deals with the error of a handler.
func (n *Namespace) serverSideFailed(e *Event, err error) {
	err = n.srv.answerError(e, err)
	if log := n.srv.cfg.Log; log != nil {
		_ = n.srv.guarded(func() error {
			log.Info("server-side handler failed", slog.String("nsp", n.name), slog.String("event", e.Name()), slog.Any("err", err))
			return nil
		})
	}
}

// replies collects acks as they arrive.
type replies struct {
	json parser.JSON
	mu   sync.Mutex // guards what follows
	got  Replies
}

func (r *replies) add(a parser.Args) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, args.New(a, r.json, 0))
}

func (r *replies) take() Replies {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

var _ adapters.Local = (*local)(nil)
