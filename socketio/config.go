package socketio

import (
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Config configures a Server; the zero value has the official defaults, but
// for bounds that the official server lacks (Mailbox, AckTimeout and
// Engine.Queue). It is copied by New. Numbers and durations: 0 is the default,
// negative is off where that makes sense.
type Config struct {
	// Engine configures the Engine.IO server underneath. Its Path "" means "/socket.io"
	// here, its Log nil means Log.
	Engine engineio.Config
	// NoServeClient switches the serving of ClientFiles off. JS: serveClient (inverted).
	NoServeClient bool
	// ClientFiles holds the official browser bundles (socket.io.js and its
	// siblings); nil means that none are served.
	ClientFiles fs.FS
	// Adapter spreads packets over the sockets of a namespace, and over nodes;
	// nil means in memory, this node alone. JS: adapter.
	Adapter adapters.Factory
	// Parser is the encoding of packets, the same at both ends; nil means
	// parser.Default(), parser.MsgPack() is the other official one. JS: parser.
	Parser parser.Parser
	// JSON converts arguments; nil means parser.DefaultJSON(). It copies what it keeps
	// of a text, or lets a value refer to: the memory of events is used again.
	JSON parser.JSON
	// ConnectTimeout is how long a connection may last without a namespace;
	// 0 means 45 s, negative for ever. JS: connectTimeout.
	ConnectTimeout time.Duration
	// AckTimeout is the deadline of an ack if the context has none; 0 means
	// 30 s, negative for ever.
	AckTimeout time.Duration
	// CleanupEmptyChildNamespaces removes a namespace that a parent made (see
	// Server.OfPattern) as soon as its last socket has left or been refused, and
	// closes its adapter, whose sessions can then not be recovered. JS:
	// cleanupEmptyChildNamespaces.
	CleanupEmptyChildNamespaces bool
	// MaxAttachments bounds the binary values of one packet; 0 means 10, as in
	// the official parser, and 1000 with parser.MsgPack; negative means none are
	// taken.
	MaxAttachments int
	// Limits bounds what one client may ask for.
	Limits Limits
	// Mailbox bounds what waits to be handled, per client. When it is full the
	// connection is not read until it is half empty.
	Mailbox Mailbox
	// AckError returns the argument of the ack that a handler's error becomes;
	// nil means {"error":{"code","message","data"}} with the content of an
	// *Error, code "bad_request" for an *ArgError, and "internal" without any
	// detail for all else. It is called by the goroutine of the handler. Where it
	// panics, or what it returns cannot be encoded, the ack says "internal", and
	// OnError hears of both errors.
	AckError func(error) any
	// Recovery lets a client that lost its connection continue as the same
	// Socket and gives it what it missed; nil is off. An Adapter must then be an
	// adapters.Recoverer. JS: connectionStateRecovery.
	Recovery *Recovery
	// Log takes diagnostics; nil is silent.
	Log *slog.Logger
}

// Mailbox bounds the received packets of one client that wait for their
// handlers, over all its namespaces.
type Mailbox struct {
	Packets int // 0 means 256
	Bytes   int // 0 means 1 MiB
}

// Validate reports the first setting that makes no sense, those of Engine
// included.
func (c *Config) Validate() error {
	switch {
	case c.Mailbox.Packets < 0:
		return errors.New("socketio: Mailbox.Packets is negative: there is no mailbox without a bound")
	case c.Mailbox.Bytes < 0:
		return errors.New("socketio: Mailbox.Bytes is negative: there is no mailbox without a bound")
	}
	if err := errors.Join(c.Limits.validate(), c.Recovery.validate()); err != nil {
		return err
	}
	engine := c.engineConfig()
	return engine.Validate()
}

// engineConfig is the configuration of the floor below, with our defaults.
func (c *Config) engineConfig() engineio.Config {
	e := c.Engine
	if e.Path == "" {
		e.Path = "/socket.io"
	}
	if e.Log == nil {
		e.Log = c.Log
	}
	return e
}

// withDefaults returns c with its zero fields filled in.
func (c Config) withDefaults() Config {
	c.Engine = c.engineConfig()
	if c.Adapter == nil {
		c.Adapter = memory.New()
	}
	if c.Parser == nil {
		c.Parser = parser.Default()
	}
	if c.JSON == nil {
		c.JSON = parser.DefaultJSON()
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 45 * time.Second
	}
	if c.AckTimeout == 0 {
		c.AckTimeout = 30 * time.Second
	}
	most := c.Engine.MaxHTTPBufferSize
	if most == 0 {
		most = 1_000_000
	}
	c.Limits = c.Limits.withDefaults(most)
	if c.Mailbox.Packets == 0 {
		c.Mailbox.Packets = 256
	}
	if c.Mailbox.Bytes == 0 {
		c.Mailbox.Bytes = 1 << 20
	}
	c.Recovery = c.Recovery.withDefaults()
	return c
}
