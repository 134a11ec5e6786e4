package parser

import "strconv"

// Default returns the encoding of Socket.IO protocol v5: text, with binary
// values as messages of their own. It has no state.
func Default() Parser { return defaultParser{} }

type defaultParser struct{}

// AppendPacket implements Parser. The form is
// <type>[<attachments>-][<namespace>,][<ack id>][JSON].
func (defaultParser) AppendPacket(dst []byte, p *Packet) (msg []byte, binary bool, attachments [][]byte) {
	t := byte('0' + p.Type)
	if len(p.Attachments) > 0 && (p.Type == Event || p.Type == Ack) {
		dst = append(dst, t+binaryOffset)
		dst = strconv.AppendInt(dst, int64(len(p.Attachments)), 10)
		dst = append(dst, '-')
		attachments = p.Attachments
	} else {
		dst = append(dst, t)
	}
	if p.Namespace != "" && p.Namespace != "/" {
		dst = append(dst, p.Namespace...)
		dst = append(dst, ',')
	}
	if p.HasID {
		dst = strconv.AppendUint(dst, p.ID, 10)
	}
	return append(dst, p.JSON...), false, attachments
}

// NewDecoder implements Parser.
func (defaultParser) NewDecoder(l Limits) Decoder {
	switch {
	case l.Attachments == 0:
		l.Attachments = defaultMaxAttachments
	case l.Attachments < 0:
		l.Attachments = 0
	}
	return &decoder{maxAttachments: l.Attachments}
}

const (
	// binaryOffset is between EVENT and BINARY_EVENT, ACK and BINARY_ACK.
	binaryOffset = 3
	// defaultMaxAttachments is the limit of the official parser.
	defaultMaxAttachments = 10
	// maxID is the largest ack id a JavaScript peer can tell from its
	// neighbours.
	maxID = 1<<53 - 1
)
