package parser

import (
	"slices"

	"github.com/tinylib/msgp/msgp"
)

// MsgPack returns the encoding of npm socket.io-msgpack-parser: each packet, a
// CONNECT too, is one binary message that holds a MessagePack map of type, data,
// id and nsp, with binary values in their places. Both ends must use it; nothing
// is negotiated. It has no state.
//
// It is a transcoder between [Args] and MessagePack. Numbers are written in the
// form that notepack.io chooses for them; integers from -2^63 up to 2^64-1 stay
// exact, others are floats. What JSON text cannot hold is read so:
//
//	Date (extension 0 of 8 bytes)       the string that its toJSON gives; null out of its range
//	undefined (extension 0 of 1 byte)   null; a member of a map is left out
//	ArrayBuffer (extension 0)           a binary value, as bin is
//	other extensions                    [type, binary value], as notepack.io has them
//	NaN, infinities                     null
//	-0                                  0
//	invalid UTF-8                       U+FFFD for each byte
//	map keys: numbers, nil, booleans,   their text, as JavaScript makes it
//	undefined
//	map keys: bin                       its bytes as a string
//	map keys of other types             an [*Error]
//
// The order of members is kept, and so is a member named __proto__. Of members of
// the packet itself with the same name the last counts; unknown ones are ignored.
// A string with a surrogate that has no partner is written with U+FFFD in its
// place (notepack.io makes another character of it and of the next).
//
// The Decoder refuses what the official one does, names of events that are
// neither strings nor numbers or are [Reserved], negative ids, and arrays and
// maps that nest more than 1000 deep. [Limits].Attachments is 1000 by default.
// The JSON text of a packet is at most six times as long as its message, but for
// binary values.
//
// AppendPacket needs JSON text that is valid; of other text it makes a packet
// without data, which the peer refuses.
func MsgPack() Parser { return msgpackParser{} }

type msgpackParser struct{}

// The members of a packet. The order in which they are written is that of the
// official server: type, data, id, nsp, but id first in an ack.
const (
	keyType = "type"
	keyData = "data"
	keyID   = "id"
	keyNSP  = "nsp"
)

// AppendPacket implements Parser.
func (msgpackParser) AppendPacket(dst []byte, p *Packet) (msg []byte, binary bool, attachments [][]byte) {
	size := len(p.JSON) + len(p.Namespace) + 40
	for _, b := range p.Attachments {
		size += len(b)
	}
	dst = slices.Grow(dst, size)
	members := uint32(2)
	if p.HasID {
		members++
	}
	if p.JSON != nil {
		members++
	}
	dst = msgp.AppendMapHeader(dst, members)
	if p.HasID && p.Type == Ack {
		dst = msgp.AppendUint64(msgp.AppendString(dst, keyID), p.ID)
	}
	dst = msgp.AppendUint64(msgp.AppendString(dst, keyType), uint64(p.Type))
	if p.JSON != nil {
		dst = AppendMsgpack(msgp.AppendString(dst, keyData), Notepack2, p.Args)
	}
	if p.HasID && p.Type != Ack {
		dst = msgp.AppendUint64(msgp.AppendString(dst, keyID), p.ID)
	}
	ns := p.Namespace
	if ns == "" {
		ns = "/"
	}
	return msgp.AppendString(msgp.AppendString(dst, keyNSP), ns), true, nil
}

// NewDecoder implements Parser.
func (msgpackParser) NewDecoder(l Limits) Decoder {
	switch {
	case l.Attachments == 0:
		l.Attachments = msgpackMaxAttachments
	case l.Attachments < 0:
		l.Attachments = 0
	}
	return &msgpackDecoder{maxAttachments: l.Attachments}
}

// msgpackMaxAttachments bounds what a message of empty binary values grows to.
const msgpackMaxAttachments = 1000

// msgpackDecoder decodes the messages of one connection. It belongs to the
// goroutine that reads the connection.
type msgpackDecoder struct {
	maxAttachments int
	names          namespaceNames
}

// Decode implements Decoder.
func (d *msgpackDecoder) Decode(binary bool, data []byte) (Packet, bool, error) {
	if !binary {
		return Packet{}, false, errTextInMsgpack
	}
	m := msgpackMessage{unpacker: unpacker{in: data, maxAttachments: d.maxAttachments}}
	p, err := m.packet(&d.names)
	if err != nil {
		return Packet{}, false, err
	}
	return p, true, nil
}

// msgpackMessage is a message as its members are found.
type msgpackMessage struct {
	unpacker
	typ, id                uint64
	hasType, hasID, hasNSP bool
	nsp                    []byte
	data                   msgp.Type // InvalidType: none, or undefined
	dataEnd, dataAtt       int       // where it ends in out and in att
}

// packet reads the message and checks it as the official decoder does.
func (m *msgpackMessage) packet(names *namespaceNames) (p Packet, err *Error) {
	if len(m.in) == 0 {
		return p, errEmpty
	}
	n, rest, bad := msgp.ReadMapHeaderBytes(m.in)
	if bad != nil {
		return p, errMsgpack
	}
	for m.in = rest; n > 0; n-- {
		if err := m.member(); err != nil {
			return p, err
		}
	}
	switch {
	case len(m.in) > 0:
		return p, errMsgpack
	case !m.hasType || m.typ > uint64(ConnectError):
		return p, errType
	case !m.hasNSP || len(m.nsp) == 0:
		return p, errNamespace
	}
	p.Type = Type(m.typ)
	p.Namespace = names.intern(m.nsp)
	if m.hasID && (p.Type == Event || p.Type == Ack) {
		p.ID, p.HasID = m.id, true
	}
	if err := m.checkData(p.Type); err != nil {
		return Packet{}, err
	}
	if m.data != msgp.InvalidType {
		p.JSON = m.out[:m.dataEnd:m.dataEnd]
		if m.dataAtt > 0 {
			p.Attachments = m.att[:m.dataAtt:m.dataAtt]
		}
	}
	return p, nil
}

// member reads one member of the packet.
func (m *msgpackMessage) member() *Error {
	var key []byte
	if msgp.NextType(m.in) == msgp.StrType {
		var err *Error
		if key, err = m.bytes(); err != nil {
			return err
		}
	} else if err := m.drop((*unpacker).key); err != nil {
		return err
	}
	switch string(key) {
	case keyData:
		return m.readData()
	case keyType:
		return m.integer(&m.typ, &m.hasType, errType)
	case keyID:
		return m.integer(&m.id, &m.hasID, errID)
	case keyNSP:
		if msgp.NextType(m.in) != msgp.StrType {
			return errNamespace
		}
		var err *Error
		m.nsp, err = m.bytes()
		m.hasNSP = true
		return err
	}
	return m.drop(func(u *unpacker) *Error { return u.value(1) })
}

func (m *msgpackMessage) readData() *Error {
	m.out, m.att = m.out[:0], m.att[:0]
	m.data, m.dataEnd, m.dataAtt = msgp.InvalidType, 0, 0
	if m.undefined() {
		return nil
	}
	m.data = msgp.NextType(m.in)
	if m.out == nil {
		m.out = make([]byte, 0, min(max(len(m.in)+len(m.in)/4, 64), 256)) // strings make room for themselves
	}
	err := m.value(0)
	m.dataEnd, m.dataAtt = len(m.out), len(m.att)
	return err
}

// drop reads something that means nothing here.
func (m *msgpackMessage) drop(read func(*unpacker) *Error) *Error {
	end, att := len(m.out), len(m.att)
	err := read(&m.unpacker)
	m.out, m.att = m.out[:end], m.att[:att]
	return err
}

// integer reads a number that a JavaScript peer knows exactly, or undefined.
func (m *msgpackMessage) integer(n *uint64, has *bool, otherwise *Error) *Error {
	if *has = !m.undefined(); !*has {
		return nil
	}
	v, err := m.number()
	if err != nil || v.float || v.negative || v.abs > maxID {
		return otherwise
	}
	*n = v.abs
	return nil
}

// checkData checks that the data is what a packet of type t has.
func (m *msgpackMessage) checkData(t Type) *Error {
	ok := false
	switch t {
	case Connect:
		ok = m.data == msgp.InvalidType || m.data == msgp.MapType
	case Disconnect:
		ok = m.data == msgp.InvalidType
	case ConnectError:
		ok = m.data == msgp.StrType || m.data == msgp.MapType
	case Event:
		if m.data != msgp.ArrayType {
			return errPayload
		}
		return checkEventName(m.out[:m.dataEnd])
	case Ack:
		ok = m.data == msgp.ArrayType
	}
	if !ok {
		return errPayload
	}
	return nil
}
