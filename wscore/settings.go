package wscore

import (
	"log/slog"
	"time"
)

// Opcode is the kind of a frame. RFC 6455 section 5.2.
type Opcode byte

// The opcodes of RFC 6455.
const (
	OpContinuation Opcode = 0x0
	OpText         Opcode = 0x1
	OpBinary       Opcode = 0x2
	OpClose        Opcode = 0x8
	OpPing         Opcode = 0x9
	OpPong         Opcode = 0xA
)

// CloseCode is the status code of a close frame. RFC 6455 section 7.4.
type CloseCode uint16

// The close codes. NoStatus, Abnormal and TLSHandshake never travel.
// RFC 6455 section 7.4.1.
const (
	CloseNormal         CloseCode = 1000
	CloseGoingAway      CloseCode = 1001
	CloseProtocolError  CloseCode = 1002
	CloseUnsupported    CloseCode = 1003
	CloseNoStatus       CloseCode = 1005
	CloseAbnormal       CloseCode = 1006
	CloseInvalidPayload CloseCode = 1007
	ClosePolicy         CloseCode = 1008
	CloseTooBig         CloseCode = 1009
	CloseMissingExt     CloseCode = 1010
	CloseInternal       CloseCode = 1011
	CloseServiceRestart CloseCode = 1012
	CloseTryAgainLater  CloseCode = 1013
	CloseBadGateway     CloseCode = 1014
	CloseTLSHandshake   CloseCode = 1015
)

// CloseError is why a connection ended. It satisfies errors.Is(err,
// net.ErrClosed) and unwraps to Err. RFC 6455 section 7.1.
type CloseError struct {
	Code   CloseCode // what the closing side said, or NoStatus, or Abnormal when the connection was lost
	Reason string
	Remote bool  // the peer began it
	Err    error // the cause on our side: a protocol fault, ErrQueueFull, an I/O error; may be nil
}

// Message is one message to be sent: its payload is Prefix followed by Data.
// Both are read before the call that takes it returns. Op is OpText, whose
// payload the sender keeps valid UTF-8, OpBinary, or, with at most 125 bytes,
// OpPing or OpPong; a send of anything else is an error. RFC 6455 section 5.6.
type Message struct {
	Op           Opcode
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
	Bytes   int // 0 means 4 MiB
	Packets int // 0 means 4096 messages
	OnFull  OnFull
}

// Settings are the knobs of a Server. The zero value is ready to use.
// RFC 6455 section 4.2 and 10.
type Settings struct {
	// Subprotocols are the supported ones, by preference.
	Subprotocols []string
	// AnySubprotocol has [Server.Accept] take the first subprotocol that the client
	// offers when none of Subprotocols is among them, for servers that speak the same
	// whatever its name: most clients fail a connection that is given none of theirs.
	// False takes none then. A Handler and a Dialer do not use it.
	AnySubprotocol bool
	// Origins lists further hosts (patterns of path.Match, matched against the
	// Origin's host, with its port if it has one) that may connect beside the
	// request's own; "*" is any. A request without Origin is always allowed.
	Origins []string
	// MaxMessage is the size limit of a received message in bytes; 0 means 1 MiB, negative none.
	MaxMessage int64
	Queue      Queue
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
