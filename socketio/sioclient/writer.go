package sioclient

import (
	"sync"

	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/socketio/parser"
)

// writer is the scratch in which one packet is encoded. It belongs to the
// caller between getWriter and putWriter; nothing downstream keeps its memory.
type writer struct {
	packet      parser.Packet
	json        []byte   // text of the arguments
	attachments [][]byte // its binary values
	message     []byte   // the packet's first message
	messages    []eioclient.Message
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
	w.attachments, w.messages = w.attachments[:0], w.messages[:0]
	writers.Put(w)
}

// event encodes the arguments of an event into w.packet.
func (w *writer) event(j parser.JSON, ns, name string, args []any) error {
	text, attachments, err := parser.AppendEvent(j, w.json[:0], w.attachments[:0], name, args...)
	if err != nil {
		return &EncodeError{Event: name, Err: err}
	}
	w.take(parser.Event, ns, text, attachments)
	return nil
}

// ack encodes the arguments of an ack into w.packet.
func (w *writer) ack(j parser.JSON, ns string, args []any) error {
	text, attachments, err := parser.AppendAck(j, w.json[:0], w.attachments[:0], args...)
	if err != nil {
		return err
	}
	w.take(parser.Ack, ns, text, attachments)
	return nil
}

func (w *writer) take(t parser.Type, ns string, text []byte, attachments [][]byte) {
	w.json, w.attachments = text, attachments
	w.packet = parser.Packet{Type: t, Namespace: ns, Args: parser.Args{JSON: text}}
	if len(attachments) > 0 {
		w.packet.Attachments = attachments
	}
}

// unit encodes p as the messages that leave as one.
func (w *writer) unit(enc parser.Parser, p *parser.Packet) []eioclient.Message {
	message, binary, attachments := enc.AppendPacket(w.message[:0], p)
	w.message = message
	w.messages = append(w.messages[:0], eioclient.Message{Binary: binary, Data: message})
	for _, b := range attachments {
		w.messages = append(w.messages, eioclient.Message{Binary: true, Data: b})
	}
	return w.messages
}

// cloneArgs copies arguments whose memory is only lent.
func cloneArgs(a parser.Args) parser.Args {
	out := a.Clone()
	if len(a.Attachments) > 0 {
		out.Attachments = make([][]byte, len(a.Attachments))
		for i, b := range a.Attachments {
			out.Attachments[i] = append([]byte{}, b...)
		}
	}
	return out
}

// sizeOf is what arguments count against a bound.
func sizeOf(a parser.Args) int {
	n := perPacket + len(a.JSON)
	for _, b := range a.Attachments {
		n += len(b)
	}
	return n
}

// perPacket is what a packet counts beside its bytes.
const perPacket = 128
