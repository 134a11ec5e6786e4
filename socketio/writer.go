package socketio

import (
	"sync"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio/parser"
)

// writer is the scratch in which one packet is encoded. It belongs to the
// caller between getWriter and putWriter; nothing downstream keeps its memory.
type writer struct {
	packet         parser.Packet
	json           []byte   // text of the arguments
	attachments    [][]byte // its binary values
	message        []byte   // the packet's first message
	messages       []engineio.Message
	rooms, excepts []string // of a broadcast's target
}

var writers = sync.Pool{New: func() any { return new(writer) }}

// maxScratch is the largest buffer that is kept for the next use.
const maxScratch = 64 << 10

func getWriter() *writer { return writers.Get().(*writer) }

func putWriter(w *writer) {
	if cap(w.json) > maxScratch {
		w.json = nil
	}
	if cap(w.message) > maxScratch {
		w.message = nil
	}
	w.packet = parser.Packet{}
	clear(w.attachments[:cap(w.attachments)])
	clear(w.messages[:cap(w.messages)])
	clear(w.rooms)
	clear(w.excepts)
	w.attachments, w.messages = w.attachments[:0], w.messages[:0]
	w.rooms, w.excepts = w.rooms[:0], w.excepts[:0]
	writers.Put(w)
}

// event encodes the arguments of an event into w.packet.
func (w *writer) event(j parser.JSON, ns, name string, args []any) error {
	args = unwrapOwned(args)
	text, attachments, err := parser.AppendEvent(j, w.json[:0], w.attachments[:0], name, args...)
	if err != nil {
		return &EncodeError{Event: name, Err: err}
	}
	w.take(parser.Event, text, attachments)
	w.packet.Namespace = ns
	return nil
}

// ack encodes the arguments of an ack into w.packet.
func (w *writer) ack(j parser.JSON, args []any) error {
	args = unwrapOwned(args)
	text, attachments, err := parser.AppendAck(j, w.json[:0], w.attachments[:0], args...)
	if err != nil {
		return err
	}
	w.take(parser.Ack, text, attachments)
	return nil
}

func (w *writer) take(t parser.Type, text []byte, attachments [][]byte) {
	w.json, w.attachments = text, attachments
	w.packet = parser.Packet{Type: t, Args: parser.Args{JSON: text}}
	if len(attachments) > 0 {
		w.packet.Attachments = attachments
	}
}

// unit encodes p as the messages that leave as one.
func (w *writer) unit(enc parser.Parser, p *parser.Packet) []engineio.Message {
	message, binary, attachments := enc.AppendPacket(w.message[:0], p)
	w.message = message
	w.messages = append(w.messages[:0], engineio.Message{Binary: binary, Data: message})
	for _, b := range attachments {
		w.messages = append(w.messages, engineio.Message{Binary: true, Data: b})
	}
	return w.messages
}

// Owned wraps bytes that an emit may keep: the caller promises not to change
// them any more. Other byte slices are copied before an emit returns.
type Owned []byte

// unwrapOwned replaces Owned arguments by what they hold, in a copy.
func unwrapOwned(args []any) []any {
	for i, v := range args {
		if _, ok := v.(Owned); ok {
			return unwrapped(args, i)
		}
	}
	return args
}

// unwrapped is unwrapOwned if args[first] is the first that is Owned.
func unwrapped(args []any, first int) []any {
	plain := append([]any(nil), args...)
	for i := first; i < len(plain); i++ {
		if o, ok := plain[i].(Owned); ok {
			plain[i] = []byte(o)
		}
	}
	return plain
}
