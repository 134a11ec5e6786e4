package sioclient

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Config configures a Manager; the zero value has the official client's
// defaults, but for bounds that it lacks (Buffer, Mailbox, AckTimeout and
// Engine.Queue). It is copied. Numbers and durations: 0 is the default, negative
// is off where that makes sense.
type Config struct {
	// Engine configures the connection: path, query, headers, transports, TLS,
	// cookies, timeout. Its Path "" means "/socket.io" here, its Log nil means
	// Log.
	Engine eioclient.Config
	// Auth returns what the Socket says when it joins its namespace, a value that
	// is encoded as an object; nil says nothing. It is called anew for each
	// connection, on a goroutine of its own. An error goes to OnConnectError, and
	// Auth is called again after a delay of Reconnection. JS: auth.
	Auth func(ctx context.Context) (any, error)
	// Reconnection says how a lost connection is made again.
	Reconnection Reconnection
	// NoReconnection leaves that to the application. JS: reconnection (inverted).
	NoReconnection bool
	// Parser is the encoding of packets, the same at both ends; nil means
	// parser.Default(). JS: parser.
	Parser parser.Parser
	// JSON converts arguments; nil means parser.DefaultJSON().
	JSON parser.JSON
	// AckTimeout is the deadline of an ack if the context has none; 0 means
	// 30 s, negative for ever. JS: ackTimeout.
	AckTimeout time.Duration
	// Retries switches retries on: every event but volatile ones is sent at most
	// so many times again, each until an ack came within AckTimeout, and one after
	// the other. The server must acknowledge each. 0 is off. JS: retries.
	Retries int
	// MaxAttachments bounds the binary values of one packet; 0 means 10, as in
	// the official parser, and 1000 with parser.MsgPack; negative means none are
	// taken.
	MaxAttachments int
	// Buffer bounds what waits for a connection, or to get into its queue once
	// there is one (with Retries: or for an ack), per Socket. An event that does not
	// fit is refused with ErrQueueFull.
	Buffer Buffer
	// Mailbox bounds what waits to be handled, over all Sockets of a Manager.
	// When it is full the connection is not read until it is half empty; the
	// heartbeat goes on.
	Mailbox Mailbox
	// AckError returns the argument of the ack that a handler's error becomes;
	// nil means {"error":{"code","message","data"}} with the content of an
	// *Error, code "bad_request" for an *ArgError, and "internal" without any
	// detail for all else. It is called by the goroutine of the handler.
	AckError func(error) any
	// Log takes diagnostics; nil is silent.
	Log *slog.Logger
}

// Reconnection is the official backoff: the delay doubles with each attempt up
// to DelayMax, and differs at random.
type Reconnection struct {
	// Attempts is how many there are before it is given up; 0 means no limit.
	// JS: reconnectionAttempts.
	Attempts int
	// Delay is the first one; 0 means 1 s. JS: reconnectionDelay.
	Delay time.Duration
	// DelayMax is the longest one; 0 means 5 s. JS: reconnectionDelayMax.
	DelayMax time.Duration
	// RandomizationFactor is the part of a delay by which it may be shorter or
	// longer, up to 1; 0 means 0.5, negative means 0. JS: randomizationFactor.
	RandomizationFactor float64
}

// Buffer bounds what is kept of one Socket's events. Negative keeps nothing.
type Buffer struct {
	Packets int // 0 means 4096
	Bytes   int // 0 means 4 MiB
}

// Mailbox bounds the received events that wait for their handlers.
type Mailbox struct {
	Packets int // 0 means 256
	Bytes   int // 0 means 1 MiB
}

// Validate reports the first setting that makes no sense, those of Engine
// included.
func (c *Config) Validate() error {
	r := &c.Reconnection
	switch {
	case c.Mailbox.Packets < 0 || c.Mailbox.Bytes < 0:
		return errors.New("socketio: Mailbox is negative: there is no mailbox without a bound")
	case r.Attempts < 0 || r.Delay < 0 || r.DelayMax < 0:
		return errors.New("socketio: Reconnection is negative")
	case r.RandomizationFactor > 1:
		return errors.New("socketio: Reconnection.RandomizationFactor is above 1")
	case c.Retries < 0:
		return errors.New("socketio: Retries is negative")
	}
	return c.Engine.Validate()
}

// or returns v, or d if v is 0.
func or[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}

// withDefaults returns c with its zero fields filled in.
func (c Config) withDefaults() Config {
	c.Engine.Path = or(c.Engine.Path, "/socket.io")
	c.Engine.Log = or(c.Engine.Log, c.Log)
	if c.Parser == nil {
		c.Parser = parser.Default()
	}
	if c.JSON == nil {
		c.JSON = parser.DefaultJSON()
	}
	r := &c.Reconnection
	r.Delay = or(r.Delay, time.Second)
	r.DelayMax = or(r.DelayMax, 5*time.Second)
	r.RandomizationFactor = max(or(r.RandomizationFactor, 0.5), 0)
	c.AckTimeout = or(c.AckTimeout, 30*time.Second)
	c.Buffer.Packets = or(c.Buffer.Packets, 4096)
	c.Buffer.Bytes = or(c.Buffer.Bytes, 4<<20)
	c.Mailbox.Packets = or(c.Mailbox.Packets, 256)
	c.Mailbox.Bytes = or(c.Mailbox.Bytes, 1<<20)
	return c
}
