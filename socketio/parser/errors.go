package parser

// Error is a packet that breaks the Socket.IO protocol: the peer's fault. The
// connection it came from is to be closed.
type Error struct {
	// Reason says what is wrong, in a few words, without data of the peer.
	Reason string
}

// Error implements error.
func (e *Error) Error() string { return "socketio: parse error: " + e.Reason }

// The errors carry no data of the peer, so that they cost nothing.
var (
	errEmpty           = &Error{"empty packet"}
	errType            = &Error{"unknown packet type"}
	errUTF8            = &Error{"invalid UTF-8"}
	errAttachmentCount = &Error{"illegal attachment count"}
	errTooMany         = &Error{"too many attachments"}
	errID              = &Error{"illegal ack id"}
	errPayload         = &Error{"invalid payload"}
	errNoPayload       = &Error{"binary packet without payload"}
	errJSON            = &Error{"invalid JSON"}
	errDepth           = &Error{"JSON nested too deeply"}
	errEventName       = &Error{"illegal event name"}
	errReserved        = &Error{"reserved event name"}
	errPlaceholder     = &Error{"illegal placeholder"}
	errTextWhenDue     = &Error{"text while attachments are due"}
	errBinaryUndue     = &Error{"binary data without a packet it belongs to"}
	errMsgpack         = &Error{"invalid MessagePack"}
	errTextInMsgpack   = &Error{"text where MessagePack is due"}
	errNamespace       = &Error{"invalid namespace"}
	errMapKey          = &Error{"map key that is no name"}
)
