package redisadapter

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
)

// StreamsOptions are those of the streams adapter, see [NewStreams]. The zero
// value is that of the official one.
type StreamsOptions struct {
	cluster.Options

	// StreamName is the stream; "" means "socket.io" (streamName).
	StreamName string
	// StreamCount is over how many streams the namespaces are spread, by their
	// names: <StreamName>-<i>. It must be the same on all nodes; 0 means 1, which
	// is StreamName itself (streamCount). The official adapter writes some
	// namespaces to a stream with a negative number, which it does not read; this
	// one reads it as well.
	StreamCount int
	// ChannelPrefix begins the names of the channels; "" means "socket.io"
	// (channelPrefix).
	ChannelPrefix string
	// UseShardedPubSub: requests and answers go by SPUBLISH, of Redis 7. It must
	// be the same on all nodes (useShardedPubSub).
	UseShardedPubSub bool
	// MaxLen is about how many entries a stream keeps, of all its namespaces
	// together; 0 means 10000 (maxLen). It bounds how long a node or a client may
	// be away: at 1000 messages a second 10000 are 10 s.
	MaxLen int
	// ReadCount is how many entries are read at once; 0 means 100 (readCount).
	ReadCount int
	// BlockTime is how long a read waits for entries; 0 means 5 s
	// (blockTimeInMs). A link that is dead without a sign is noticed 3 s later.
	BlockTime time.Duration
	// SessionKeyPrefix begins the keys of sessions; "" means "sio:session:"
	// (sessionKeyPrefix).
	SessionKeyPrefix string
	// OnlyPlaintext: entries are JSON even if they have binary values, which other
	// nodes then take for objects (onlyPlaintext).
	OnlyPlaintext bool
	// Batches: what waits to be written to the stream goes as one entry, of up to 512
	// messages or 16 KiB, and what waits for the same channel as one PUBLISH, so that
	// Redis, which works for each command, has less to do when there is much; nothing
	// waits for it. An entry of several counts once in MaxLen, so that a stream may take
	// MaxLen times 16 KiB of memory, and lasts for more messages. It is for clusters whose
	// nodes are all of this package, in versions that know it: others drop such an entry
	// (those of ours count it as malformed, official ones say nothing), and cannot
	// restore a session whose offset lies within one. Nodes with and without it
	// understand each other, so it may be switched on node by node; emitters of any kind
	// may stay, they only send.
	Batches bool
	// Counters, if set, counts what goes over the connections.
	Counters *Counters

	ids identity
}

func (o *StreamsOptions) withDefaults() StreamsOptions {
	out := *o
	out.StreamName = cmp.Or(o.StreamName, "socket.io")
	out.StreamCount = max(o.StreamCount, 1)
	out.ChannelPrefix = cmp.Or(o.ChannelPrefix, "socket.io")
	out.MaxLen = cmp.Or(max(o.MaxLen, 0), 10000)
	out.ReadCount = cmp.Or(max(o.ReadCount, 0), 100)
	out.BlockTime = cmp.Or(max(o.BlockTime, 0), 5*time.Second).Truncate(time.Millisecond)
	out.BlockTime = max(out.BlockTime, time.Millisecond) // 0 would be for ever
	out.SessionKeyPrefix = cmp.Or(o.SessionKeyPrefix, "sio:session:")
	return out
}

// stream is the stream of a namespace.
func (o *StreamsOptions) stream(namespace string) string {
	return streamOf(o.StreamName, o.StreamCount, namespace)
}

// NewStreams returns the factory of adapters over a stream of Redis: those of
// createAdapter in npm @socket.io/redis-streams-adapter 0.3. Broadcasts, and what
// moves and disconnects sockets, are entries of the stream; requests that want an
// answer, and their answers, go by pub/sub. Nodes of version 0.2 share the
// entries, but not the requests; so does the streams emitter.
//
// Nothing of the stream is lost to a node whose link to Redis was down, as long
// as the stream keeps it (StreamsOptions.MaxLen); if not, or if Redis has come
// back without its data, that is reported (cluster.Options.OnGap). What is
// written while the link breaks may come twice. What goes by pub/sub meanwhile is
// lost, which is reported as well.
//
// # Recovery
//
// With connection state recovery an adapter is a [cluster.Recoverer]: a client
// may come back to any node, also to one in JavaScript, and from a node that was
// killed. An offset is the id of an entry, and behind a dot the place in it if it
// holds several (StreamsOptions.Batches) and this is not the first. The events of a namespace are then
// delivered when they come back from Redis, some tenths of a millisecond later,
// in the same order on all nodes; without recovery this node's sockets are served
// at once and never wait for Redis. What is sent by other ways, an ack or an event
// that asks for one, may overtake an event that was sent just before. A client may
// get an event twice whose entry was slow, see [cluster.Options].LogPatience.
//
// The client stays the caller's; see the package documentation.
func NewStreams(client redis.UniversalClient, opts StreamsOptions) adapters.Factory {
	s := &streamsFactory{opts: opts.withDefaults(), readers: make(map[string]*streamReader)}
	s.kind = link.Plain
	if opts.UseShardedPubSub {
		s.kind = link.Sharded
	}
	s.links = newLinks(client, opts.Options, opts.Counters, opts.Batches)
	return func(local adapters.Local) (adapters.Adapter, error) {
		return cluster.MakeLog(func(nsp string, r cluster.Receiver) (cluster.Log, error) {
			return s.connect(nsp, r, local.Recovery().On)
		}, opts.Options, local)
	}
}

// streamsFactory is what the namespaces of one factory share.
type streamsFactory struct {
	opts  StreamsOptions
	kind  link.Kind
	links *links

	mu      sync.Mutex // guards what follows
	readers map[string]*streamReader
}

// connect makes the bus of a namespace. With recovery it reads the stream when it
// is told to, otherwise at once.
func (s *streamsFactory) connect(nsp string, r cluster.Receiver, recovery bool) (*streamsBus, error) {
	lease, err := s.links.open(nsp, r)
	if err != nil {
		return nil, err
	}
	b := newStreamsBus(s, lease, nsp)
	if err = b.listen(); err == nil && !recovery {
		ctx, cancel := context.WithTimeout(context.Background(), s.links.patience)
		defer cancel()
		err = b.follow(ctx, nil)
	}
	if err != nil {
		return nil, errors.Join(err, b.Close(context.Background()))
	}
	return b, nil
}

// enter has a bus told what is in its stream from now on.
func (s *streamsFactory) enter(b *streamsBus) (*streamReader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.readers[b.stream]
	if r == nil {
		var err error
		if r, err = newStreamReader(s, b.stream); err != nil {
			return nil, err
		}
		s.readers[b.stream] = r
		go r.run() // ends with the last bus, which waits
	}
	r.enter(b)
	return r, nil
}

// leave has a bus told nothing any more. It returns when it is told nothing.
func (s *streamsFactory) leave(b *streamsBus, r *streamReader) {
	s.mu.Lock()
	last := r.leave(b)
	if last {
		delete(s.readers, b.stream)
	}
	s.mu.Unlock()
	if last {
		r.close()
	}
}

// warn logs what is wrong with Redis.
func (s *streamsFactory) warn(what, stream string, err error) {
	s.links.log.Warn(what, slog.String("stream", stream), slog.Any("err", err))
}
