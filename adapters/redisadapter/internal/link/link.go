package link

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// Errors that the functions of this package return, and that reach the Done of
// a [Command].
var (
	// ErrQueueFull is returned by Append and its like when Config.QueueBytes
	// are queued. The command is refused, nothing waits.
	ErrQueueFull = errors.New("link: the queue to Redis is full")
	// ErrClosed is returned after Close, and reaches the Done of what was not
	// sent before it.
	ErrClosed = errors.New("link: closed")
	// ErrUnanswered reaches the Done of a command without Retry that was sent
	// and not answered before the connection broke: it may have been carried
	// out, and is not sent again.
	ErrUnanswered = errors.New("link: sent, but the connection broke before the answer")
	// ErrOvertaken reaches the Done of a command without Retry that Redis
	// refused for the moment while it took a later one of the same key.
	ErrOvertaken = errors.New("link: refused, and a later command was taken")
	// ErrArgument is returned for a command that cannot be sent as it is.
	ErrArgument = errors.New("link: a command is a name and arguments of type string or []byte")
	// ErrUnsubscribed is returned by a Subscribe that waits when somebody calls
	// Unsubscribe for one of its channels.
	ErrUnsubscribed = errors.New("link: unsubscribed in the meantime")
	// ErrKind is returned by Subscribe for a channel that is subscribed with
	// another kind: their messages could not be told apart.
	ErrKind = errors.New("link: the channel is subscribed as another kind")
)

// Config is the settings of a [Link], [Writer] or [Subscriber]. The zero value
// is good. It is copied.
type Config struct {
	// QueueBytes bounds what waits to be written, arguments and a little for
	// each command. What goes beyond is refused with ErrQueueFull; an empty
	// queue takes one command of any size. 0 means 16 MiB.
	QueueBytes int
	// WriteTimeout is how long Redis may take to accept and to answer what is
	// written before the connection counts as broken. 0 means 3 s.
	WriteTimeout time.Duration
	// PingInterval is the time between two pings of a subscribed connection,
	// which is given up after two of them without a byte. A connection of the
	// writer that was idle as long is tried before it is used. 0 means 3 s.
	PingInterval time.Duration
	// Linger is how long a subscription is kept after Unsubscribe, so that a
	// Subscribe in the meantime costs nothing. 0 means 3 s, negative none.
	Linger time.Duration
	// RefusedTimeout is how long a command is sent again that Redis refuses
	// for the moment (loading, read-only, cluster down, out of memory). Then it
	// fails with what Redis said. 0 means 30 s.
	RefusedTimeout time.Duration
	// Batches: what waits for one channel, key and verb, or of one [Form], goes as
	// one command, as far as it is consecutive in the queue. Nothing waits for that.
	// Who receives it must know batches, see Subscriber.Each. To all else each of
	// them is a command as before: in QueueBytes, in Stats, with its Done. What
	// becomes of a batch, becomes of all in it.
	Batches bool
	// OnGap, if set, is called after messages may have been lost on the way to
	// this node: none that Redis was given before from, which is when the last
	// command was sent that it answered, and none after to. On a Cluster from may be
	// too late: a server that has left it, is cut off from it, or does not know yet
	// that it has lost a slot goes on answering. It is called once for each outage,
	// when all subscriptions are confirmed again, on a goroutine of the Subscriber,
	// one call at a time, and must not block.
	OnGap func(from, to time.Time)
	// OnLost, if set, is called after commands were dropped (queue full,
	// unanswered, overtaken): n between the two times. It is called once for
	// each outage, when Redis answers again, on a goroutine of the Writer, and
	// must not block.
	OnLost func(from, to time.Time, n int64)
	// Logger gets outages, recoveries, panics of handlers, and what Redis refuses
	// if the command has no Done. nil means none.
	Logger *slog.Logger
}

func (c Config) queueBytes() int64             { return int64(orDefault(c.QueueBytes, 16<<20)) }
func (c Config) writeTimeout() time.Duration   { return orDefault(c.WriteTimeout, 3*time.Second) }
func (c Config) pingInterval() time.Duration   { return orDefault(c.PingInterval, 3*time.Second) }
func (c Config) linger() time.Duration         { return max(0, orDefault(c.Linger, 3*time.Second)) }
func (c Config) refusedTimeout() time.Duration { return orDefault(c.RefusedTimeout, 30*time.Second) }

func (c Config) log(level slog.Level, msg string, args ...any) {
	if c.Logger != nil {
		c.Logger.Log(context.Background(), level, "redis: "+msg, args...)
	}
}

func orDefault[T int | time.Duration](v, d T) T {
	if v == 0 {
		return d
	}
	return v
}

// Stats is counters of a [Writer] and a [Subscriber]. Those of the other are
// zero in what one of the two returns.
type Stats struct {
	Published     int64 // commands that Redis answered, refusals not counted; those of a batch each
	Batches       int64 // how many of what Redis answered were batches
	Refused       int64 // commands that failed with an error of Redis
	Dropped       int64 // commands that were given up: queue full, unanswered, overtaken, or left at Close
	Ambiguous     int64 // those of Dropped that had been sent but not answered
	Retried       int64 // commands with Retry that were sent once more
	Queued        int64 // bytes that wait to be written or answered, now
	WriterResets  int64 // connections of the writer that broke
	Subscriptions int64 // channels and patterns that are wanted, now
	Confirmed     int64 // those of Subscriptions that Redis has confirmed, now
	Messages      int64 // messages handed to handlers; those of a batch each
	Panics        int64 // panics of handlers and of Done functions
	Reconnects    int64 // connections of the subscriber that broke
	Gaps          int64 // calls of OnGap, or what they would be
}

// Link is a [Writer] and a [Subscriber] of one Redis. Make it with [New].
type Link struct {
	*Writer
	*Subscriber
}

// New returns a link over the addresses, credentials and TLS of a client:
// *redis.Client, also one of redis.NewFailoverClient, or *redis.ClusterClient.
// Others are an error. It connects when there is something to do. The client
// must stay open as long as the link.
func New(client redis.UniversalClient, c Config) (*Link, error) {
	w, err := NewWriter(client, c)
	if err != nil {
		return nil, err
	}
	s, err := NewSubscriber(client, c)
	if err != nil {
		return nil, err
	}
	return &Link{w, s}, nil
}

// Stats returns the counters of both.
func (l *Link) Stats() Stats {
	w, s := l.Writer.Stats(), l.Subscriber.Stats()
	s.Published, s.Refused, s.Dropped, s.Ambiguous, s.Retried = w.Published, w.Refused, w.Dropped, w.Ambiguous, w.Retried
	s.Batches, s.Queued, s.WriterResets = w.Batches, w.Queued, w.WriterResets
	s.Panics += w.Panics
	return s
}

// Close closes the subscriber, then the writer, see there. It returns when
// nothing of the link runs any more.
func (l *Link) Close(ctx context.Context) error {
	return errors.Join(l.Subscriber.Close(ctx), l.Writer.Close(ctx))
}
