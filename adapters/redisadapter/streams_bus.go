package redisadapter

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
)

// streamsBus is the bus of a namespace over a stream, and its log. It belongs to
// its adapter; entries arrive on the goroutine of the stream's reader, requests
// and answers on that of the link.
type streamsBus struct {
	factory  *streamsFactory
	link     *lease
	nsp, uid string
	stream   string
	maxLen   string
	recent   cluster.Recent
	entries  *link.Form
	all      string // the channel of all nodes; that of a node begins with it

	follower cluster.LogReceiver // with recovery; set before the reader knows the bus
	reader   *streamReader       // nil until follow, which comes before all else
}

var _ cluster.Log = (*streamsBus)(nil)

func newStreamsBus(s *streamsFactory, l *lease, nsp string) *streamsBus {
	b := &streamsBus{factory: s, link: l, nsp: nsp, stream: s.opts.stream(nsp)}
	b.uid = s.opts.ids.name(nsp, randomHex)
	b.maxLen = strconv.Itoa(s.opts.MaxLen)
	b.entries = b.newEntries()
	b.all = s.opts.ChannelPrefix + "#" + nsp + "#"
	return b
}

// channelOf is the channel of a node's answers.
func (b *streamsBus) channelOf(node string) string { return b.all + node + "#" }

// listen subscribes the two channels, on which requests and answers come.
func (b *streamsBus) listen() error {
	mine := b.channelOf(b.uid)
	_ = b.link.Want(b.factory.kind, b.link.split(b.receive), b.all, mine) // the link is open
	_, err := b.link.await(b.factory.kind, b.all, mine)
	return err
}

// follow has the bus, or r, told what is in the stream from now on. It waits
// until it is known where that begins.
func (b *streamsBus) follow(ctx context.Context, r cluster.LogReceiver) error {
	b.follower = r
	reader, err := b.factory.enter(b)
	if err != nil {
		return err
	}
	b.reader = reader
	select {
	case <-reader.begun:
	case <-ctx.Done():
		b.factory.warn("the stream cannot be read yet", b.stream, context.Cause(ctx))
	}
	return nil
}

// Follow implements [cluster.Log].
func (b *streamsBus) Follow(ctx context.Context, r cluster.LogReceiver) error {
	return b.follow(ctx, r)
}

// Traits implements [cluster.Bus].
func (b *streamsBus) Traits() cluster.Traits {
	return cluster.Traits{Node: b.uid, NewRequestID: b.factory.opts.ids.request}
}

// inStream reports whether m is an entry of the stream: what wants no answer, but
// for server-side events.
func inStream(m *cluster.Message) bool {
	switch m.Type {
	case cluster.Broadcast:
		return m.RequestID == ""
	case cluster.SocketsJoin, cluster.SocketsLeave, cluster.DisconnectSockets:
		return true
	}
	return false
}

// Publish implements [cluster.Bus].
func (b *streamsBus) Publish(m *cluster.Message) error {
	if inStream(m) {
		return b.add(m, b.encode(m), nil)
	}
	return b.publish(b.all, m)
}

// Answer implements [cluster.Bus].
func (b *streamsBus) Answer(request, m *cluster.Message) error {
	return b.publish(b.channelOf(request.From), m)
}

func (b *streamsBus) publish(channel string, m *cluster.Message) error {
	if err := b.link.closed(); err != nil {
		return err
	}
	payload := appendStreamsEnvelope(nil, b.nsp, m)
	if b.factory.kind == link.Sharded {
		return busError(b.link.SPublish(channel, payload))
	}
	return busError(b.link.Publish(channel, payload))
}

// Append implements [cluster.Log].
func (b *streamsBus) Append(m *cluster.Message, refused func()) (text string, err error) {
	data := b.encode(m)
	done := func(_ any, err error) {
		if err != nil {
			b.link.Refused(1, err)
			refused()
		}
	}
	if err := b.add(m, data, done); err != nil {
		return "", err
	}
	return string(data), nil
}

// add queues an entry.
func (b *streamsBus) add(m *cluster.Message, data []byte, done func(any, error)) error {
	if err := b.link.closed(); err != nil {
		return err
	}
	return busError(b.entries.AppendDone(done, strconv.AppendUint(nil, uint64(m.Type), 10), data))
}

// newEntries returns what adds entries to the stream.
func (b *streamsBus) newEntries() *link.Form {
	f := b.link.NewForm(b.stream, "XADD", b.stream, "MAXLEN", "~", b.maxLen, "*", "uid", b.uid, "nsp", b.nsp, "type", nil, "data", nil)
	f.Join("XADD", b.stream, "MAXLEN", "~", b.maxLen, "*", "uid", b.uid, "nsp", b.nsp, "batch", nil)
	return f
}

// encode returns the data of an entry: JSON, or MessagePack in base64 if there are
// binary values.
func (b *streamsBus) encode(m *cluster.Message) []byte {
	room := make([]byte, 0, envelopeSize(m))
	if m.Binary() && !b.factory.opts.OnlyPlaintext {
		return base64.StdEncoding.AppendEncode(nil, cluster.AppendData(room, wire.Msgpack, m))
	}
	return cluster.AppendData(room, wire.JSON, m)
}

// decodeData reads the data of an entry into m, whose type is known.
func decodeData(text string, m *cluster.Message, recent *cluster.Recent) error {
	if strings.HasPrefix(text, "{") {
		return recent.ParseData(wire.JSON, []byte(text), m)
	}
	msg, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	return cluster.ParseData(wire.Msgpack, msg, m)
}

// receive is the handler of the channels.
func (b *streamsBus) receive(p link.Message) {
	m, nsp, err := parseStreamsEnvelope(p.Payload)
	if err == nil && nsp != b.nsp {
		err = errNamespace
	}
	if err != nil {
		b.link.poison(p.Channel, err)
		return
	}
	if m.From != b.uid {
		b.link.receive(m)
	}
}

// Room implements [cluster.Bus]: everything arrives.
func (b *streamsBus) Room(string, bool) {}

// Confirm implements [cluster.Bus].
func (b *streamsBus) Confirm(context.Context, []string) error { return nil }

// Living implements [cluster.Bus]: it counts who hears requests, and of the known
// nodes who hears answers.
func (b *streamsBus) Living(ctx context.Context, known []string) (nodes int, gone []string, err error) {
	if err := b.link.Wait(ctx, b.factory.kind, b.all); err != nil {
		return 0, nil, busError(err)
	}
	if b.reader != nil {
		select { // who asks for other nodes hears what they send from then on
		case <-b.reader.begun:
		case <-ctx.Done():
			return 0, nil, context.Cause(ctx)
		}
	}
	return b.link.living(ctx, b.factory.kind, b.all, known, b.channelOf)
}

// Close implements [cluster.Bus].
func (b *streamsBus) Close(ctx context.Context) error {
	if b.reader != nil {
		b.factory.leave(b, b.reader)
	}
	b.link.end()
	b.link.Drop(b.factory.kind, b.all, b.channelOf(b.uid))
	return busError(b.link.release(ctx))
}
