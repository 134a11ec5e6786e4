package wscore

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
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
// net.ErrClosed) and unwraps to Err.
type CloseError struct {
	Code   CloseCode // what the closing side said, or NoStatus, or Abnormal when the connection was lost
	Reason string
	Remote bool  // the peer began it
	Err    error // the cause on our side: a protocol fault, ErrQueueFull, an I/O error; may be nil
}

// Message is one message to be sent: its payload is Prefix followed by Data.
// Both are read before the call that takes it returns.
type Message struct {
	Op           Opcode
	Prefix, Data []byte
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
type Settings struct {
	// Subprotocols are the supported ones, by preference.
	Subprotocols []string
	// Origins lists further hosts (patterns of path.Match, matched against the
	// Origin's host) that may connect beside the request's own; "*" is any. A request
	// without Origin is always allowed.
	Origins []string
	// MaxMessage is the size limit of a received message in bytes; 0 means 1 MiB, negative none.
	MaxMessage int64
	Queue      Queue
	// CloseTimeout bounds the close handshake; 0 means 5 s.
	CloseTimeout time.Duration
	// ProgressTimeout bounds the time a begun message may take between two reads; 0 means 60 s, negative none.
	ProgressTimeout time.Duration
	// Log takes diagnostics; nil is silent.
	Log *slog.Logger
}

// Server holds what the connections of one server share: settings, timers, and
// the flushers of their queues. The zero value is not usable, see NewServer.
type Server struct{}

// NewServer returns a Server. settings is copied.
func NewServer(settings Settings) *Server { panic("skeleton") }

// Accept checks the handshake in r and takes the connection over. extra are
// response headers to add. On an error the response has been written (426, 400, 403, …).
// The 101 response is held back until the first of Serve, Read, NextReader and Close, and leaves in
// one write with all that was sent before. RFC 6455 section 4.2.
func (s *Server) Accept(w http.ResponseWriter, r *http.Request, extra http.Header) (*Conn, error) {
	panic("skeleton")
}

// NewConn returns the server side of a connection whose handshake is done.
// rwc may be any stream; *net.TCPConn and *net.UnixConn idle without a buffer.
func (s *Server) NewConn(rwc io.ReadWriteCloser) *Conn { panic("skeleton") }

// Conns reports how many connections are open.
func (s *Server) Conns() int { panic("skeleton") }

// Close closes all connections at once and waits until nothing of the server
// runs any more, or ctx ends.
func (s *Server) Close(ctx context.Context) error { panic("skeleton") }

// Protocol is what runs on a connection under Serve. Its methods are called
// one at a time on the connection's goroutine; they may block, which stops the
// reading. A panic in one closes that connection (1011).
type Protocol interface {
	// OnMessage is called for each complete message. data is lent until it returns.
	OnMessage(op Opcode, data []byte)
	// OnClose is called once, last, with a *CloseError.
	OnClose(err error)
}

// Conn is one WebSocket connection. All methods but the reading ones may be
// called from any goroutine and never block.
type Conn struct{}

// Serve starts p on the connection and returns. See Protocol.
func (c *Conn) Serve(p Protocol) { panic("skeleton") }

// Send queues one message and, if nothing else waits, writes it at once.
// It never blocks. Errors: ErrQueueFull, *CloseError.
func (c *Conn) Send(op Opcode, data []byte) error { panic("skeleton") }

// SendMessages queues msgs as one unit: no other message gets between them,
// and either all are taken or none.
func (c *Conn) SendMessages(f SendFlags, msgs ...Message) error { panic("skeleton") }

// SendPrepared is SendMessages for messages encoded before.
func (c *Conn) SendPrepared(p *Prepared, f SendFlags) error { panic("skeleton") }

// Ping sends a ping frame with data (at most 125 bytes).
func (c *Conn) Ping(data []byte) error { panic("skeleton") }

// Stalled reports whether bytes wait that the kernel has refused.
func (c *Conn) Stalled() bool { panic("skeleton") }

// Buffered reports what waits in the queue.
func (c *Conn) Buffered() (bytes, packets int) { panic("skeleton") }

// Close begins the close handshake: what is queued is sent, then a close frame (code
// CloseNoStatus: an empty one). It does not wait; OnClose tells the end, at most CloseTimeout later.
func (c *Conn) Close(code CloseCode, reason string) error { panic("skeleton") }

// CloseNow drops the connection without a close frame.
func (c *Conn) CloseNow() error { panic("skeleton") }

// Subprotocol is the negotiated one, or "".
func (c *Conn) Subprotocol() string { panic("skeleton") }

// RemoteAddr is the address of the peer, or nil if the stream has none.
func (c *Conn) RemoteAddr() net.Addr { panic("skeleton") }

// Read waits for the next message and returns it; the bytes are the caller's.
// When ctx ends the connection is closed.
func (c *Conn) Read(ctx context.Context) (Opcode, []byte, error) { panic("skeleton") }

// NextReader waits for the next message and returns a reader of it.
func (c *Conn) NextReader(ctx context.Context) (Opcode, io.Reader, error) { panic("skeleton") }

// Prepared is an immutable unit of messages, encoded at most once per wire form
// and shared by all connections it is sent on.
type Prepared struct{}

// NewPrepared returns a unit of msgs; their bytes are copied.
func NewPrepared(msgs ...Message) *Prepared { panic("skeleton") }
