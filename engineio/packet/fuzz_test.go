package packet

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"
)

var fuzzPackets = []Packet{
	text(Open, `{"sid":"x"}`), text(Close, ""), text(Ping, "probe"), text(Pong, ""), text(Message, "€"), text(Upgrade, ""), text(Noop, ""), blob(""), blob("\x00\xff\x7f"),
}

// FuzzPacket: what is decoded from a WebSocket message is encoded to the same,
// but for base64, which has one form only when it is encoded.
func FuzzPacket(f *testing.F) {
	for _, p := range fuzzPackets {
		msg, _ := AppendFrame(nil, p)
		f.Add(msg)
		f.Add(AppendChunk(nil, p))
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		in := bytes.Clone(msg)
		p, err := DecodeText(msg)
		if !bytes.Equal(in, msg) {
			t.Fatalf("%q was changed to %q", in, msg)
		}
		var e *Error
		if err != nil {
			if !errors.As(err, &e) || len(msg) > 0 && (Type(msg[0]).Valid() || msg[0] == 'b') {
				t.Fatalf("%q: %v", msg, err)
			}
			return
		}
		checkPacket(t, p)
		if out, binary := AppendFrame(nil, p); !p.Binary && (binary || !bytes.Equal(out, msg)) {
			t.Fatalf("%q comes back as %q", msg, out)
		}
		checkPacket(t, DecodeBinary(msg))
	})
}

func checkPacket(t *testing.T, p Packet) {
	t.Helper()
	if !p.Type.Valid() || p.Binary && p.Type != Message {
		t.Fatalf("decoded %+v", p)
	}
	frame, binary := AppendFrame(nil, p)
	chunk := AppendChunk(nil, p)
	size := len(p.Data)
	if !p.Binary {
		size++ // the type
	}
	if len(frame) != size || len(chunk) != ChunkSize(p) || binary != p.Binary {
		t.Fatalf("%+v: sizes %d and %d, lengths %d and %d", p, size, ChunkSize(p), len(frame), len(chunk))
	}
	if got, err := DecodeText(chunk); err != nil || !equal(got, p) {
		t.Fatalf("%q: got %+v, %v", chunk, got, err)
	}
}

// FuzzPayload: the packets of a payload make a payload that reads the same; the
// reader reports the first bad one and stops.
func FuzzPayload(f *testing.F) {
	for i := range fuzzPackets {
		f.Add(AppendPayload(nil, fuzzPackets[i:]...))
	}
	f.Add([]byte("4a\x1e\x1e4b"))
	f.Add([]byte("b!!!\x1eb-_\x1ebA=B"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var got []Packet
		r := NewPayloadReader(bytes.Clone(payload))
		for r.Next() {
			p := r.Packet()
			checkPacket(t, p)
			got = append(got, p)
		}
		chunks := bytes.Split(payload, []byte{Separator})
		if (r.Err() == nil) != (len(got) == len(chunks)) || len(got) > len(chunks) {
			t.Fatalf("%q: %d packets of %d, %v", payload, len(got), len(chunks), r.Err())
		}
		for i, p := range got {
			if p.Binary != (chunks[i][0] == 'b') || !p.Binary && !bytes.Equal(chunks[i][1:], p.Data) {
				t.Fatalf("%q: packet %d is %+v", payload, i, p)
			}
			if want, err := base64.StdEncoding.DecodeString(string(chunks[i][1:])); p.Binary && err == nil && !bytes.Equal(want, p.Data) {
				t.Fatalf("%q: packet %d is %q, want %q", payload, i, p.Data, want)
			}
		}
		if len(got) == 0 {
			return
		}
		out := AppendPayload(nil, got...)
		if len(out) != payloadSize(got...) {
			t.Fatalf("size %d, length %d", payloadSize(got...), len(out))
		}
		again := NewPayloadReader(out)
		for i := range got {
			if !again.Next() || !equal(again.Packet(), got[i]) {
				t.Fatalf("packet %d comes back as %+v, %v", i, again.Packet(), again.Err())
			}
		}
		if again.Next() || again.Err() != nil {
			t.Fatalf("more packets came back: %v", again.Err())
		}
	})
}
