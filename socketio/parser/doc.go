// Package parser holds the Socket.IO packet, and the encodings that carry it
// over Engine.IO messages.
//
// A [Packet] keeps its arguments once, already encoded: one JSON array text
// with placeholders for binary values, and the binary values themselves
// ([Args]). Nothing downstream of an emit sees a Go value. A [Parser] writes
// packets as Engine.IO messages and makes one [Decoder] per connection. A
// [JSON] codec stands between Go values and the text.
//
// The default encoding is the one of the Socket.IO protocol, revision 5.
package parser
