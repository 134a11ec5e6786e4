package redisadapter

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
	"github.com/hermod-io/hermod/socketio/args"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/parser"
)

// EmitterOptions are those of an [Emitter]. The zero value speaks to nodes with
// the classic adapter and default options.
type EmitterOptions struct {
	// Key begins the names of the channels of the classic adapter; "" means
	// "socket.io" (key).
	Key string
	// Namespace is that of the emitter's own methods; "" means "/". A slash in
	// front is added if it has none.
	Namespace string
	// Streams, if set, writes for nodes with the streams adapter instead, as npm
	// @socket.io/redis-streams-emitter 0.1 does.
	Streams *EmitterStreams
	// JSON encodes arguments; nil means parser.DefaultJSON.
	JSON parser.JSON
	// Logger gets outages, and what is lost in them; nil logs nothing.
	Logger *slog.Logger
	// Counters, if set, counts what is sent.
	Counters *Counters
}

// EmitterStreams says which streams an [Emitter] writes to; it must be as in the
// nodes' options.
type EmitterStreams struct {
	// Name is that of the stream; "" means "socket.io" (streamName).
	Name string
	// Count is among how many streams the namespaces are shared out; 0 means 1
	// (streamCount).
	Count int
	// MaxLen is how many entries are kept, at least; 0 means 10000 (maxLen).
	MaxLen int
}

// Emitter sends events to the sockets of all nodes from a program that has none:
// what npm @socket.io/redis-emitter 5 does. Make it with [NewEmitter]; its
// methods may be called from any goroutine and never wait for Redis. What is sent
// in a namespace arrives in that order, at most once (with Streams at least once).
// There are no acks: nobody listens.
//
// Errors of what is sent: adapters.ErrQueueFull if 16 MiB wait to be sent,
// adapters.ErrClosed, an *[args.EncodeError], one that wraps
// [args.ErrReserved].
type Emitter struct {
	form   emitterForm
	writer *link.Writer
	json   parser.JSON
	nsp    string
}

// emitterForm writes messages for one kind of adapter.
type emitterForm interface {
	// send queues m, which is lent until it returns.
	send(w *link.Writer, nsp string, m *cluster.Message) error
}

// NewEmitter returns an emitter that writes through connections of its own, made
// of the addresses and credentials of the client, when there is something to
// send. The client stays the caller's and must be open as long as the emitter.
// The error is that of a client of another kind than [New] takes.
func NewEmitter(client redis.UniversalClient, opts EmitterOptions) (*Emitter, error) {
	log := cmp.Or(opts.Logger, slog.New(slog.DiscardHandler))
	w, err := link.NewWriter(client, link.Config{Logger: log, OnLost: func(from, to time.Time, n int64) {
		log.Warn("messages lost", slog.Int64("count", n), slog.Time("from", from), slog.Time("to", to))
	}})
	if err != nil {
		return nil, err
	}
	if opts.Counters != nil {
		opts.Counters.useWriter(w)
	}
	e := &Emitter{writer: w, json: opts.JSON, nsp: withSlash(cmp.Or(opts.Namespace, "/"))}
	if e.json == nil {
		e.json = parser.DefaultJSON()
	}
	if opts.Streams != nil {
		e.form = newStreamsForm(opts.Streams)
	} else {
		e.form = &classicForm{key: cmp.Or(opts.Key, "socket.io")}
	}
	return e, nil
}

// withSlash returns the name of a namespace with its slash.
func withSlash(nsp string) string {
	if strings.HasPrefix(nsp, "/") {
		return nsp
	}
	return "/" + nsp
}

// Close ends the emitter: it returns when all is sent, ctx ended or Redis is out
// of reach. The error is adapters.ErrClosed if something was not sent.
func (e *Emitter) Close(ctx context.Context) error { return busError(e.writer.Close(ctx)) }

// Of returns an emission to the sockets of a namespace; a slash in front is added
// if it has none.
func (e *Emitter) Of(nsp string) Emission { return Emission{e: e, nsp: withSlash(nsp)} }

func (e *Emitter) all() Emission { return Emission{e: e, nsp: e.nsp} }

// To returns an emission to the sockets that are in any of the rooms.
func (e *Emitter) To(rooms ...string) Emission { return e.all().To(rooms...) }

// In is the same as To.
func (e *Emitter) In(rooms ...string) Emission { return e.To(rooms...) }

// Except returns an emission to the sockets that are in none of the rooms.
func (e *Emitter) Except(rooms ...string) Emission { return e.all().Except(rooms...) }

// Volatile returns an emission to the sockets that can take it when it arrives.
func (e *Emitter) Volatile() Emission { return e.all().Volatile() }

// Compress returns an emission that says whether it is worth compressing.
func (e *Emitter) Compress(on bool) Emission { return e.all().Compress(on) }

// Emit sends an event to all sockets; see [Emission.Emit].
func (e *Emitter) Emit(event string, args ...any) error { return e.all().Emit(event, args...) }

// SocketsJoin puts all sockets into rooms.
func (e *Emitter) SocketsJoin(rooms ...string) error { return e.all().SocketsJoin(rooms...) }

// SocketsLeave takes all sockets out of rooms.
func (e *Emitter) SocketsLeave(rooms ...string) error { return e.all().SocketsLeave(rooms...) }

// DisconnectSockets disconnects all sockets; see [Emission.DisconnectSockets].
func (e *Emitter) DisconnectSockets(closeConn bool) error {
	return e.all().DisconnectSockets(closeConn)
}

// ServerSideEmit sends an event to the nodes; see [Emission.ServerSideEmit].
func (e *Emitter) ServerSideEmit(event string, args ...any) error {
	return e.all().ServerSideEmit(event, args...)
}

var (
	_ event.Emitter = (*Emitter)(nil)
	_ event.Emitter = Emission{}
)

// encode returns the arguments of an event.
func (e *Emitter) encode(name string, values []any) (parser.Args, error) {
	text, attachments, err := parser.AppendEvent(e.json, nil, nil, name, values...)
	if err != nil {
		return parser.Args{}, &args.EncodeError{Event: name, Err: err}
	}
	return parser.Args{JSON: text, Attachments: attachments}, nil
}

func (e *Emitter) send(nsp string, m *cluster.Message) error {
	m.From = cluster.Emitter
	return busError(e.form.send(e.writer, nsp, m))
}
