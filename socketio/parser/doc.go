// Package parser holds the Socket.IO packet, and the encodings that carry it
// over Engine.IO messages.
//
// A [Packet] keeps its arguments once, already encoded: one JSON array text
// with placeholders for binary values, and the binary values themselves
// ([Args]). Nothing downstream of an emit sees a Go value. A [Parser] writes
// packets as Engine.IO messages and makes one [Decoder] per connection. A
// [JSON] codec stands between Go values and the text.
//
//	j := parser.DefaultJSON()
//	text, att, err := parser.AppendEvent(j, nil, nil, "message", "hi", []byte{1, 2})
//	// ["message","hi",{"_placeholder":true,"num":0}]
//	p := &parser.Packet{Type: parser.Event, Namespace: "/chat", Args: parser.Args{JSON: text, Attachments: att}}
//	msg, binary, attachments := parser.Default().AppendPacket(nil, p)
//	// 51-/chat,["message","hi",{"_placeholder":true,"num":0}] and one binary message
//
// [MsgPack] is the other official encoding: one binary message for each packet.
//
// The default encoding is the one of the Socket.IO protocol, revision 5. Its
// decoder takes what the official one takes, but for JavaScript's notion of a
// number: ids and attachment counts are plain decimal digits. An id in a packet that
// takes none is passed over, as there, white space included. What it refuses is
// an [*Error]; the connection is then to be closed.
//
// Limits: an ack id is at most 2^53-1; arrays and objects nest at most 1000
// deep; the number of attachments is bounded by [Limits], the size of a message
// by whoever reads it.
package parser
