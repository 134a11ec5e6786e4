package wscore

import (
	"log/slog"
	"time"
)

// Opcode is the kind of a frame. RFC 6455 section 5.2.
type Opcode byte

// The opcodes. Messages have OpText or OpBinary. RFC 6455 section 11.8.
const (
	OpContinuation Opcode = 0x0 // a message goes on
	OpText         Opcode = 0x1 // a message of UTF-8 begins
	OpBinary       Opcode = 0x2 // a message of any bytes begins
	OpClose        Opcode = 0x8 // the close handshake
	OpPing         Opcode = 0x9 // asks for a pong
	OpPong         Opcode = 0xA // answers a ping
)

// CloseCode is the status code of a close frame. RFC 6455 section 7.4.
type CloseCode uint16

// The close codes. Those said to be local never travel. RFC 6455 section 7.4.1; from
// 1012 on the registry of its section 11.7.
const (
	CloseNormal         CloseCode = 1000 // all is said
	CloseGoingAway      CloseCode = 1001 // the server stops, or the page is left
	CloseProtocolError  CloseCode = 1002 // the peer broke the protocol
	CloseUnsupported    CloseCode = 1003 // a kind of message that is not taken
	CloseNoStatus       CloseCode = 1005 // local: the close frame had no code
	CloseAbnormal       CloseCode = 1006 // local: there was no close frame
	CloseInvalidPayload CloseCode = 1007 // text that is no UTF-8, or data that cannot be decoded
	ClosePolicy         CloseCode = 1008 // a rule of the closing side
	CloseTooBig         CloseCode = 1009 // a message above the limit
	CloseMissingExt     CloseCode = 1010 // the server did not agree to an extension
	CloseInternal       CloseCode = 1011 // an error of the closing side
	CloseServiceRestart CloseCode = 1012 // the server restarts: connect again
	CloseTryAgainLater  CloseCode = 1013 // the server has too much to do
	CloseBadGateway     CloseCode = 1014 // the server behind this one answered badly
	CloseTLSHandshake   CloseCode = 1015 // local: TLS failed
)

// CloseError is why a connection ended. It satisfies errors.Is(err,
// net.ErrClosed) and unwraps to Err. RFC 6455 section 7.1.
type CloseError struct {
	Code   CloseCode // what the closing side said, or CloseNoStatus, or CloseAbnormal when the connection was lost
	Reason string    // what it said in words, at most 123 bytes; often ""
	Remote bool      // the peer began it
	Err    error     // the cause on our side: a protocol fault, ErrQueueFull, an I/O error; may be nil
}

// Message is one message to be sent. RFC 6455 section 5.6.
type Message struct {
	// Op is OpText or OpBinary, or OpPing or OpPong, whose payload has at most 125
	// bytes. A send of anything else is an error.
	Op Opcode
	// Prefix and Data are the payload, one behind the other. Both are read before
	// the call that takes them returns. With OpText the sender sees to it that they
	// are valid UTF-8 together.
	Prefix, Data []byte
	// Plain keeps the message from being deflated, whatever was negotiated: for
	// what is compressed already, or secret beside text of others.
	Plain bool
}

// SendFlags modify a send. The zero value writes at once when nothing waits.
type SendFlags uint8

const (
	// Later queues without trying to write: a flusher writes all that is
	// queued for the connection in one go. For what goes to many connections.
	Later SendFlags = 1 << iota
	// Must exempts the messages from DropNewest and lets them exceed the queue's bound by
	// a quarter; beyond that the connection is closed.
	Must
	// Plain keeps all messages of the send from being deflated, see Message.Plain.
	Plain
	// Moved exempts the messages from the queue's bound: for what has waited in a queue
	// of the caller's, with a bound of its own. See [Conn.CountAs].
	Moved
	// ifRoom makes a full queue refuse the messages, whatever OnFull says.
	ifRoom
)

// OnFull says what happens to a message that finds the queue full.
type OnFull uint8

const (
	// Disconnect closes the connection (1008); the send returns ErrQueueFull. The default.
	Disconnect OnFull = iota
	// DropNewest refuses the message: the send returns ErrQueueFull and the connection lives on.
	DropNewest
)

// Queue bounds what waits to be written on one connection. One message is
// always accepted by an empty queue.
type Queue struct {
	Bytes   int    // of frames with their headers; 0 means 4 MiB
	Packets int    // messages; 0 means 4096
	OnFull  OnFull // what becomes of a message too many; 0 means Disconnect
}

// Settings are the knobs of a Server or a Dialer. The zero value is ready to use.
// RFC 6455 section 4.2 and 10.
type Settings struct {
	// Subprotocols are the supported ones, by preference; none: a client's offers are
	// passed over. Dialers offer them.
	Subprotocols []string
	// AnySubprotocol has [Server.Accept] take the first subprotocol that the client
	// offers when none of Subprotocols is among them, for servers that speak the same
	// whatever its name: most clients fail a connection that is given none of theirs.
	// False takes none then. A Handler and a Dialer do not use it.
	AnySubprotocol bool
	// Origins lists further hosts, or patterns of path.Match, that may connect
	// beside the request's own; they are compared with the Origin's host, with its
	// port if it has one. "*" is any; "null" is the Origin of pages that have none to
	// tell, such as files. A request without Origin is always allowed. Servers only.
	Origins []string
	// MaxMessage is the size limit of a received message in bytes; 0 means 1 MiB, negative none.
	MaxMessage int64
	// Queue bounds what waits to be written on each connection.
	Queue Queue
	// Deflate switches permessage-deflate on; nil is off. RFC 7692.
	Deflate *Deflate
	// CloseTimeout bounds the close handshake; 0 means 5 s.
	CloseTimeout time.Duration
	// ProgressTimeout bounds the time a begun message may take between two reads; 0 means 60 s, negative none.
	ProgressTimeout time.Duration
	// Log takes diagnostics; nil is silent.
	Log *slog.Logger
}

func (q *Queue) bytes() int   { return orDefault(q.Bytes, 4<<20) }
func (q *Queue) packets() int { return orDefault(q.Packets, 4096) }

func orDefault[T int | int64 | time.Duration](v, d T) T {
	if v == 0 {
		return d
	}
	return v
}

func (s *Settings) maxMessage() uint64 {
	if s.MaxMessage < 0 {
		return 0
	}
	return uint64(orDefault(s.MaxMessage, 1<<20))
}

func (s *Settings) closeTimeout() time.Duration    { return orDefault(s.CloseTimeout, 5*time.Second) }
func (s *Settings) progressTimeout() time.Duration { return orDefault(s.ProgressTimeout, time.Minute) }
