// Package packet is the codec of Engine.IO packets and payloads, protocol 4, and
// protocol 3 in what is named so (…EIO3).
// It does no I/O and keeps no state beyond what its callers hold.
//
// A [Packet] is a type and its data. It travels as
//
//   - one WebSocket message: [AppendFrame], [DecodeText], [DecodeBinary];
//   - a part of a polling body, which joins packets with 0x1E and writes
//     binary ones in base64: [AppendPayload], [AppendChunk], [PayloadReader].
//
// [Handshake] is the JSON of the open packet.
//
//	body := packet.AppendPayload(nil,
//		packet.Packet{Type: packet.Message, Data: []byte("hi")},
//		packet.Packet{Type: packet.Message, Binary: true, Data: []byte{1, 2}})
//	// 4hi\x1ebAQI=
//	r := packet.NewPayloadReader(body)
//	for r.Next() {
//		use(r.Packet())
//	}
//	if err := r.Err(); err != nil {
//		// the packets before the malformed one were delivered
//	}
//
// The text of a message is not escaped: one that contains 0x1E is split when
// it travels in a payload, as in the official implementation. The codec does
// not look at the encoding of text; whether a body or a frame is valid UTF-8
// is checked where it is read, of a body with [ValidText].
package packet
