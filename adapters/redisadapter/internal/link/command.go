package link

import (
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Command is one command for [Writer.Append].
type Command struct {
	// Key decides which server of a Cluster gets the command, and what it
	// keeps its order with: the channel, stream or key. It must be that of the
	// command.
	Key string
	// Args is the name and the arguments, each a string or a []byte. The slice
	// and the bytes belong to the Writer from Append on and must not be changed
	// any more.
	Args []any
	// Retry says that the command is sent until it was answered, perhaps more
	// than once (XADD, SET). Without it, it is sent at most once (PUBLISH).
	Retry bool
	// Done, if set, is called once with the answer of Redis, as go-redis
	// decodes it, or with an error: of Redis, or of this package. It runs on a
	// goroutine of the Writer and must not block.
	Done func(reply any, err error)
}

// overhead is what a command costs in the queue beside its arguments.
const overhead = 64

// entry is a command in the queue.
type entry struct {
	cmd     *redis.Cmd
	key     string
	size    int64 // counted against QueueBytes
	wire    int64 // bytes on the wire
	retry   bool
	publish bool // of a pool, with arguments of its own
	joins   bool // may be one of a batch
	slot    uint16
	done    func(reply any, err error)

	// What follows belongs to the goroutine of the lane, or is guarded by the
	// Writer's mutex while the entry is in a queue.
	ask       string // the server that is to get it behind ASKING; "" for none
	redirects int
	refused   time.Time // first refusal; zero: none
	sent      int       // how often it was sent without an answer
	position  int       // in the batch
	kept      bool      // is not finished by the batch
	failure   error     // of ours

	form   *Form // that it is of, nil for others
	values []blob

	verb    string // of a publish entry
	channel string
	payload blob // of any entry with others behind it: the batch, while it is sent

	// The entries that go with this one as a batch, see join. They are in no queue.
	next, last *entry
	joined     int        // how many they are
	texts      int64      // what the texts of all take in the batch
	text       []byte     // what payload was without them
	spare      *redis.Cmd // of a Form: the other one of the command and that of a batch
}

// blob is bytes that go-redis writes without a copy, and without the allocation
// of a []byte in an interface.
type blob struct{ b []byte }

// MarshalBinary is for go-redis.
func (b *blob) MarshalBinary() ([]byte, error) { return b.b, nil }

// verbs of the commands that have an entry of their own.
const (
	verbPublish  = "publish"
	verbSPublish = "spublish"
)

// publishers keeps entries for each of the two verbs.
type publishers struct{ plain, sharded sync.Pool }

func (p *publishers) of(verb string) *sync.Pool {
	if verb == verbSPublish {
		return &p.sharded
	}
	return &p.plain
}

// get returns an entry; its put is in Writer.finish.
func (p *publishers) get(verb, key, channel string, payload []byte) *entry {
	e, _ := p.of(verb).Get().(*entry)
	if e == nil {
		e = &entry{publish: true, verb: verb}
		e.cmd = redis.NewCmd(background, verb, &e.channel, &e.payload)
	}
	e.key, e.channel, e.payload.b = key, channel, payload
	e.size = int64(len(channel)+len(payload)) + overhead
	e.wire = array(3) + bulk(len(verb)) + bulk(len(channel)) + bulk(len(payload))
	return e
}

func (p *publishers) put(e *entry) {
	cmd := e.cmd
	cmd.SetErr(nil)
	cmd.SetVal(nil)
	*e = entry{publish: true, cmd: cmd, verb: e.verb}
	p.of(e.verb).Put(e)
}

// newEntry makes an entry of a command.
func newEntry(c Command) (*entry, error) {
	if len(c.Args) == 0 {
		return nil, ErrArgument
	}
	e := &entry{key: c.Key, retry: c.Retry, done: c.Done, wire: array(len(c.Args)), size: overhead}
	for _, a := range c.Args {
		n := 0
		switch a := a.(type) {
		case string:
			n = len(a)
		case []byte:
			n = len(a)
		default:
			return nil, ErrArgument
		}
		e.wire += bulk(n)
		e.size += int64(n)
	}
	e.cmd = redis.NewCmd(background, c.Args...)
	return e, nil
}

// bulk is the length of a bulk string on the wire. RESP, "Bulk strings".
func bulk(n int) int64 { return array(n) + int64(n) + 2 }

// array is the length of the head of an array or a bulk string on the wire.
func array(n int) int64 {
	digits := int64(1)
	for ; n >= 10; n /= 10 {
		digits++
	}
	return digits + 3
}

// answered reports whether Redis answered.
func (e *entry) answered() bool { return e.cmd.Val() != nil || isRefusal(e.cmd.Err()) }

// asking is the length of ASKING on the wire.
var asking = array(1) + bulk(len("asking"))

// length is what the entry takes on the wire.
func (e *entry) length() int64 {
	if e.ask != "" {
		return asking + e.wire
	}
	return e.wire
}
