package parser

import (
	"bytes"
	"unicode/utf8"
)

// decoder reassembles the packets of one connection in the default encoding.
// It belongs to the goroutine that reads the connection.
type decoder struct {
	maxAttachments int
	names          namespaceNames
	pending        *pending // made for the first binary packet, then reused
}

// pending is a binary packet whose attachments are not all there.
type pending struct {
	pkt      Packet
	refs     resolver // where the attachments go; its memory is reused
	due, got int      // attachments announced and received; none due: no packet
}

// Decode implements Decoder.
func (d *decoder) Decode(binary bool, data []byte) (Packet, bool, error) {
	var (
		p   Packet
		ok  bool
		err *Error
	)
	if binary {
		p, ok, err = d.attach(data)
	} else {
		p, ok, err = d.text(data)
	}
	if err != nil {
		d.pending = nil
		return Packet{}, false, err
	}
	return p, ok, nil
}

// text decodes a text message.
func (d *decoder) text(data []byte) (p Packet, ok bool, err *Error) {
	if d.pending != nil && d.pending.due > 0 {
		return p, false, errTextWhenDue
	}
	if len(data) == 0 {
		return p, false, errEmpty
	}
	t := data[0] - '0'
	if t > byte(Ack+binaryOffset) {
		return p, false, errType
	}
	if !utf8.Valid(data) {
		return p, false, errUTF8
	}
	rest := data[1:]
	attachments := 0
	p.Type = Type(t)
	if p.Type > ConnectError {
		p.Type -= binaryOffset
		if attachments, rest, err = cutAttachments(rest, d.maxAttachments); err != nil {
			return p, false, err
		}
	}
	p.Namespace, rest = d.namespace(rest)
	switch p.Type {
	case Event, Ack:
		p.ID, p.HasID, rest, err = cutID(rest)
	default: // an auth that is a number looks like an id
		rest = bytes.TrimLeft(rest, "0123456789 \t\r\n")
	}
	if err != nil {
		return p, false, err
	}
	if p.JSON, err = payload(p.Type, rest); err != nil {
		return p, false, err
	}
	if attachments == 0 {
		return p, true, nil
	}
	if p.JSON == nil {
		return p, false, errNoPayload
	}
	return p, false, d.hold(p, attachments)
}

// hold keeps p, in memory of its own, until its attachments are there.
func (d *decoder) hold(p Packet, attachments int) *Error {
	if d.pending == nil {
		d.pending = new(pending)
	}
	w := d.pending
	if err := w.refs.resolve(p.JSON, attachments); err != nil {
		return err
	}
	p.JSON, w.refs.out = w.refs.out, nil
	if used := len(w.refs.order); used > 0 {
		p.Attachments = make([][]byte, used)
	}
	w.pkt, w.due, w.got = p, attachments, 0
	return nil
}

// attach takes a binary message.
func (d *decoder) attach(data []byte) (Packet, bool, *Error) {
	w := d.pending
	if w == nil || w.due == 0 {
		return Packet{}, false, errBinaryUndue
	}
	if at := w.refs.place[w.got]; at >= 0 {
		b := make([]byte, len(data))
		copy(b, data)
		w.pkt.Attachments[at] = b
	}
	if w.got++; w.got < w.due {
		return Packet{}, false, nil
	}
	p := w.pkt
	w.pkt, w.due = Packet{}, 0
	return p, true, nil
}

// namespace cuts the namespace off rest: from a slash to the first comma or to
// the end.
func (d *decoder) namespace(rest []byte) (name string, after []byte) {
	if len(rest) == 0 || rest[0] != '/' {
		return "/", rest
	}
	raw, after, _ := bytes.Cut(rest, []byte{','})
	return d.names.intern(raw), after
}

// namespaceNames remembers the last few namespaces of a connection, so that a
// packet costs no string.
type namespaceNames struct {
	last *lastNames // nil until there is another one than "/"
}

type lastNames struct {
	names [4]string
	next  uint8
}

func (n *namespaceNames) intern(raw []byte) string {
	if len(raw) == 1 {
		return "/"
	}
	if n.last == nil {
		n.last = new(lastNames)
	}
	l := n.last
	for _, s := range l.names {
		if s == string(raw) {
			return s
		}
	}
	s := string(raw)
	if len(s) <= 128 {
		l.names[l.next] = s
		l.next = (l.next + 1) % uint8(len(l.names))
	}
	return s
}

// cutAttachments cuts "<count>-" off rest. Only plain decimal digits are taken:
// JavaScript's spaces, signs, fractions, exponents and hex are refused.
func cutAttachments(rest []byte, limit int) (n int, after []byte, err *Error) {
	i := skipDigits(rest, 0)
	if i == 0 || rest[0] == '0' || i == len(rest) || rest[i] != '-' {
		return 0, nil, errAttachmentCount
	}
	for _, c := range rest[:i] {
		if n = n*10 + int(c-'0'); n > limit {
			return 0, nil, errTooMany
		}
	}
	return n, rest[i+1:], nil
}

// cutID cuts the ack id off rest, if there is one.
func cutID(rest []byte) (id uint64, has bool, after []byte, err *Error) {
	i := skipDigits(rest, 0)
	if i == 0 {
		return 0, false, rest, nil
	}
	if rest[0] == '0' && i > 1 {
		return 0, false, nil, errID
	}
	for _, c := range rest[:i] {
		if id = id*10 + uint64(c-'0'); id > maxID {
			return 0, false, nil, errID
		}
	}
	return id, true, rest[i:], nil
}

// payload checks the JSON of a packet and returns it without white space
// behind it; nil if there is none.
func payload(t Type, b []byte) ([]byte, *Error) {
	if len(b) == 0 {
		return nil, nil
	}
	switch c := b[0]; t {
	case Connect:
		if c != '{' {
			return nil, errPayload
		}
	case ConnectError:
		if c != '{' && c != '"' {
			return nil, errPayload
		}
	case Event:
		if c != '[' {
			return nil, errPayload
		}
		if err := checkEventName(b); err != nil {
			return nil, err
		}
	case Ack:
		if c != '[' {
			return nil, errPayload
		}
	default:
		return nil, errPayload
	}
	end, err := skipValue(b, 0)
	if err != nil {
		return nil, err
	}
	if skipSpace(b, end) != len(b) {
		return nil, errJSON
	}
	return b[:end:end], nil
}

// checkEventName checks that the first element of an array is a number or a
// string that is not reserved. That it is well-formed is checked elsewhere.
func checkEventName(array []byte) *Error {
	i := skipSpace(array, 1)
	if i == len(array) {
		return errJSON
	}
	switch c := array[i]; {
	case c == '-' || isDigit(c):
		return nil
	case c != '"':
		return errEventName
	}
	end := skipString(array, i)
	if end < 0 {
		return errJSON
	}
	name := array[i+1 : end-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		name = appendUnescaped(nil, name)
	}
	if Reserved(string(name)) {
		return errReserved
	}
	return nil
}

// Reserved reports whether name may not be used as the name of an event, since
// the official implementations use it for their own events.
func Reserved(name string) bool {
	switch name {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}
