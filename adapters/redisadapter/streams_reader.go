package redisadapter

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
)

// streamReader reads a stream for the namespaces that are in it, over a
// connection of its own. Where it is belongs to run; the buses to mu.
//
// It begins at the end of the stream, at an id that it has asked for: XREAD with
// "$" would miss what is written between two reads.
type streamReader struct {
	factory *streamsFactory
	stream  string
	client  *blockingClient
	begun   chan struct{}   // closed when it is known where to begin
	ended   chan struct{}   // closed when run has ended
	quit    context.Context // of run; ended by stop
	stop    context.CancelFunc

	entries []streamEntry // of the last read; its memory is used again

	unsure bool      // the stream is to be looked at before the next read
	looked time.Time // when it was
	sure   time.Time // all that was written before has been read
	failed bool      // the link is broken

	mu    sync.Mutex // guards what follows; run alone changes at and known
	at    cluster.Offset
	known bool          // at is
	buses []*streamsBus // the slice is never changed
}

const (
	// A read that is not answered for this much longer than it may block is
	// taken for a dead link.
	readGrace = 3 * time.Second
	// After an error it is tried again after minRetry, then after twice as long,
	// up to maxRetry.
	minRetry = 20 * time.Millisecond
	maxRetry = time.Second
	// lookInterval is the least time between two looks at a stream that is read
	// more slowly than it grows.
	lookInterval = time.Second
	// When a read brings as many entries as several or more, but not all that it
	// may, there are many, and they are left to come together for gatherTime: a
	// read costs Redis as much as the entries of several. One that is alone never
	// waits for that.
	several    = 4
	gatherTime = time.Millisecond
)

func newStreamReader(s *streamsFactory, stream string) (*streamReader, error) {
	client, err := newBlockingClient(s.links.client, s.opts.BlockTime+readGrace)
	if err != nil {
		return nil, err
	}
	r := &streamReader{
		factory: s, stream: stream, client: client,
		begun: make(chan struct{}), ended: make(chan struct{}),
	}
	r.quit, r.stop = context.WithCancel(context.Background())
	return r, nil
}

// enter adds a bus. If it is known where the stream is, it is told.
func (r *streamReader) enter(b *streamsBus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.buses = append(slices.Clone(r.buses), b)
	if r.known && b.follower != nil {
		b.follower.Begin(r.at)
	}
}

// leave removes a bus and reports whether it was the last.
func (r *streamReader) leave(b *streamsBus) (last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.buses = slices.DeleteFunc(slices.Clone(r.buses), func(o *streamsBus) bool { return o == b })
	return len(r.buses) == 0
}

// close ends run.
func (r *streamReader) close() {
	r.stop()
	r.client.cut()
	<-r.ended
	_ = r.client.Close() // nothing is left of it
}

func (r *streamReader) run() {
	defer close(r.ended)
	r.sure = time.Now()
	retry := minRetry
	for {
		err := r.step(r.quit)
		if r.quit.Err() != nil {
			return
		}
		if err == nil {
			retry = minRetry
			continue
		}
		r.unsure = true
		if !r.failed {
			r.failed = true
			r.factory.warn("the stream cannot be read", r.stream, err)
		}
		wait(r.quit, retry/2+rand.N(retry/2))
		retry = min(2*retry, maxRetry)
	}
}

// step reads once.
func (r *streamReader) step(ctx context.Context) error {
	if !r.known {
		return r.begin(ctx)
	}
	if r.unsure {
		if err := r.look(ctx); err != nil {
			return err
		}
	}
	began := time.Now()
	entries, err := r.read(ctx)
	if err != nil {
		return err
	}
	r.failed = false
	r.hand(entries)
	n := len(entries)
	if n < r.factory.opts.ReadCount {
		r.sure = began
	}
	clear(entries) // the answers are of no use any more
	r.entries = entries[:0]
	switch {
	case n == 0: // ids may be smaller than before
		r.unsure = true
	case n == r.factory.opts.ReadCount && time.Since(r.looked) > lookInterval:
		r.unsure = true
	case n >= several && n < r.factory.opts.ReadCount:
		wait(ctx, gatherTime)
	}
	return nil
}

// wait waits, unless ctx ends before.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// read waits for entries. The answer is read here, since go-redis would make a
// map and ten strings of each entry; whatever is no answer as usual, errors above
// all, is asked for again and left to it.
func (r *streamReader) read(ctx context.Context) ([]streamEntry, error) {
	raw := redis.NewRawCmd(ctx, r.command()...)
	raw.SetFirstKeyPos(streamKey)
	if err := r.client.Process(ctx, raw); err != nil {
		return nil, err
	}
	if entries, ok := appendEntries(r.entries, raw.Val()); ok {
		return entries, nil
	}
	cmd := redis.NewXStreamSliceCmd(ctx, r.command()...)
	cmd.SetFirstKeyPos(streamKey)
	_ = r.client.Process(ctx, cmd)
	streams, err := cmd.Result()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, nil
	case err != nil:
		return nil, err
	case len(streams) != 1:
		return nil, fmt.Errorf("%d streams in an answer", len(streams))
	}
	entries := r.entries
	for _, m := range streams[0].Messages {
		entries = append(entries, entryFrom(m))
	}
	return entries, nil
}

// streamKey is where the stream stands in command.
const streamKey = 6

// command is the next read.
func (r *streamReader) command() []any {
	return []any{"xread", "count", r.factory.opts.ReadCount, "block", r.factory.opts.BlockTime.Milliseconds(), "streams", r.stream, r.at.Entry().String()}
}

// begin finds the end of the stream.
func (r *streamReader) begin(ctx context.Context) error {
	began := time.Now()
	info, err := streamInfoOf(ctx, r.client, r.stream)
	if err != nil {
		return err
	}
	r.start(info.last)
	r.looked = time.Now()
	if r.failed {
		r.missed() // nobody knows what others sent meanwhile
	}
	r.sure = began
	close(r.begun)
	return nil
}

// start makes at the place after which entries are read.
func (r *streamReader) start(at cluster.Offset) {
	for _, b := range r.move(at) {
		if b.follower != nil {
			b.pass(func() error { b.follower.Begin(at); return nil })
		}
	}
}

// move moves to at and returns who is to be told. A bus that enters later begins
// there.
func (r *streamReader) move(at cluster.Offset) []*streamsBus {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at, r.known = at, true
	return r.buses
}

// look finds out whether entries that were not read are gone: because there were
// too many, or because the stream has begun anew.
func (r *streamReader) look(ctx context.Context) error {
	info, err := streamInfoOf(ctx, r.client, r.stream)
	if err != nil {
		return err
	}
	r.unsure = false
	r.looked = time.Now()
	switch {
	case r.at.Entry().After(info.last):
		r.start(info.last)
	case !info.reachesTo(r.at):
	default:
		return nil
	}
	r.factory.warn("entries of the stream were lost before they were read", r.stream, errTrimmed)
	r.missed()
	return nil
}

// missed tells all that entries may have been lost until now.
func (r *streamReader) missed() {
	for _, b := range r.move(r.at) {
		b.pass(func() error { b.link.receiver.Gap(cluster.Gap{From: r.sure, To: r.looked}); return nil })
	}
}

// streamInfo is how far a stream goes.
type streamInfo struct {
	// first is where its entries begin, zero if there are none; last the last message
	// of the last one, if that is there.
	first, last cluster.Offset
	whole       bool // it has all that were ever in it
}

// reachesTo reports whether all messages after an offset are there. If the entry
// there is gone, the next one may be as well; but at the end there is nothing to
// miss.
func (i *streamInfo) reachesTo(at cluster.Offset) bool {
	switch {
	case i.whole || !i.last.After(at):
		return true
	case i.first == cluster.Offset{}:
		return false
	}
	return !i.first.After(at)
}

func streamInfoOf(ctx context.Context, client redis.Cmdable, stream string) (*streamInfo, error) {
	x, err := client.XInfoStream(ctx, stream).Result()
	if err != nil {
		if strings.Contains(err.Error(), "no such key") {
			return &streamInfo{whole: true}, nil
		}
		return nil, err
	}
	info := &streamInfo{whole: x.Length > 0 && x.EntriesAdded == x.Length}
	var ok bool
	if info.last, ok = cluster.ParseOffset(x.LastGeneratedID); !ok {
		return nil, fmt.Errorf("id %q", x.LastGeneratedID)
	}
	info.first, _ = cluster.ParseOffset(x.FirstEntry.ID)
	if x.LastEntry.ID == x.LastGeneratedID {
		e := entryFrom(x.LastEntry)
		n, _, _ := e.open()
		info.last.Part = uint32(n - 1)
	}
	return info, nil
}

// hand hands entries over. Whatever they are, the next read is behind them.
func (r *streamReader) hand(entries []streamEntry) {
	for i := range entries {
		e := &entries[i]
		id, ok := cluster.ParseOffset(string(e.id))
		if !ok {
			continue // Redis makes none
		}
		n, left, err := e.open()
		last := id
		last.Part = uint32(n - 1)
		for _, b := range r.move(last) {
			switch {
			case b.nsp != string(e.nsp):
			case err != nil:
				b.pass(func() error { return err })
			default:
				b.take(id, *e, n, left)
			}
		}
	}
	if len(entries) > 0 {
		for _, b := range r.move(r.at) {
			if b.follower != nil {
				b.pass(func() error { b.follower.Reached(r.at); return nil })
			}
		}
	}
}

// pass has f hand something over, unless the bus is closed. An error, of an entry
// that is malformed, is counted and logged, and so is a panic.
func (b *streamsBus) pass(f func() error) {
	b.link.pass(func() {
		defer func() {
			if p := recover(); p != nil {
				b.link.poison(b.stream, fmt.Errorf("panic: %v", p))
			}
		}()
		if err := f(); err != nil {
			b.link.poison(b.stream, err)
		}
	})
}

// take takes the n messages of an entry of the namespace, at an offset and the
// following parts.
func (b *streamsBus) take(id cluster.Offset, e streamEntry, n int, left link.Batch) {
	for range n {
		e.next(&left)
		b.pass(func() error { return b.entry(id, &e) })
		id.Part++
	}
}

// entry takes a message of the namespace.
func (b *streamsBus) entry(id cluster.Offset, e *streamEntry) error {
	if string(e.uid) == b.uid {
		if b.follower != nil {
			b.follower.Own(id, string(e.data))
		}
		return nil
	}
	if l := b.lend(e); l != nil {
		defer l.Done()
		b.hand(id, &l.Message)
		return nil
	}
	m, err := decodeEntry(string(e.uid), string(e.kind), string(e.data), &b.recent)
	if m == nil || err != nil {
		return err
	}
	b.hand(id, m)
	return nil
}

// kindBroadcast is the type of broadcasts in an entry.
const kindBroadcast = "3"

// lend returns the message of an entry; nil is one that must be read in whole.
func (b *streamsBus) lend(e *streamEntry) *cluster.Loan {
	if string(e.kind) != kindBroadcast || len(e.uid) == 0 {
		return nil
	}
	l := b.recent.Lend(wire.JSON, e.data)
	if l != nil && l.Message.From != string(e.uid) {
		l.Message.From = string(e.uid)
	}
	return l
}

// hand hands on what an entry says.
func (b *streamsBus) hand(id cluster.Offset, m *cluster.Message) {
	if b.follower != nil {
		b.follower.Entry(id, m)
	} else if m.Packet == nil || !m.Packet.HasID { // that was for a socket of the sender
		b.link.receiver.Receive(m)
	}
}

var (
	errNoUID   = errors.New("entry without uid")
	errTrimmed = errors.New("the stream has begun anew, or was trimmed")
)

// decodeEntry reads an entry; m is nil for what nodes of version 0.2 say to one
// another: heartbeats, requests and answers.
func decodeEntry(uid string, kind any, text string, recent *cluster.Recent) (m *cluster.Message, err error) {
	number, _ := kind.(string)
	m = &cluster.Message{Type: cluster.ParseType(number), From: uid}
	switch m.Type {
	case cluster.Broadcast, cluster.SocketsJoin, cluster.SocketsLeave, cluster.DisconnectSockets, cluster.ServerSideEmit:
	case cluster.InitialHeartbeat, cluster.Heartbeat, cluster.AdapterClose, cluster.FetchSockets,
		cluster.FetchSocketsResponse, cluster.ServerSideEmitResponse, cluster.BroadcastClientCount, cluster.BroadcastAck:
		return nil, nil
	default:
		return nil, fmt.Errorf("entry of unknown type %q", number)
	}
	if uid == "" {
		return nil, errNoUID
	}
	if err := decodeData(text, m, recent); err != nil {
		return nil, err
	}
	return m, nil
}
