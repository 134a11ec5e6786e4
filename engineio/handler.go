package engineio

// Message is one Engine.IO message; its payload is Prefix followed by Data.
// Both are read before the call that takes it returns.
type Message struct {
	// Binary tells bytes from text, which must be UTF-8.
	Binary bool
	// Prefix and Data are the payload; either may be nil.
	Prefix, Data []byte
}

// SendFlags modify a send. The zero value writes at once when nothing waits.
type SendFlags uint8

const (
	// Later only queues: what is queued for a session leaves in one write soon.
	// For what goes to many sessions, or when more is about to follow.
	Later SendFlags = 1 << iota
	// Must exempts from DropNewest, and may exceed the queue's bound by a
	// quarter; beyond that the session is closed. For answers that a client
	// waits for.
	Must
	// NoCompress: not worth compressing. JS: compress(false).
	NoCompress
)

// Handler is what a Server reports to. The methods are called for many sessions at once,
// but for one session one at a time, in order. A panic closes that session.
type Handler interface {
	// OnOpen is called once, before anything of the session is read and after
	// its open packet was queued. It may send, and is the place for SetValue.
	OnOpen(s *Session)
	// OnMessage is called for each message. data is lent until it returns. Text is
	// UTF-8; what is not, which long-polling lets through, has become U+FFFD. It
	// may block, which stops the reading of this session: TCP then slows the
	// client down. It should mark such a wait by Suspend and Resume, and end it
	// when [Session.Done] is closed.
	OnMessage(s *Session, binary bool, data []byte)
	// OnClose is called once, last, when a running OnMessage has returned. err
	// says more than reason, or is nil.
	OnClose(s *Session, reason Reason, err error)
}
