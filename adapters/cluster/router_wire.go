package cluster

import (
	"encoding/binary"
	"errors"
	"net/http"
)

// The wire of Routers. Numbers without a width are unsigned varints.
//
//	message  version (1 byte), sender (4), link, number, frames
//	frame    kind (1 byte), fields
//
// The link tells one acquaintance of sender and receiver from the next; within
// it messages are numbered from 1, so that a loss is noticed. A broadcast has
// the numbers 0. A stream is one relayed request or connection. Its number is
// that of the node that opened it, times two, plus 1 in what that node sends.
// Docs: docs/adr/0004-any-node.md.
const relayVersion = 1

type relayKind byte

const (
	frameHello  relayKind = iota + 1 // instance (8 bytes), flags: a heartbeat
	frameBye                         // nothing: the sender is no more
	framePing                        // n: to be answered
	framePong                        // n
	frameGap                         // nothing: of what the receiver sent something is lost
	frameOpen                        // stream, flags, request, body
	frameAnswer                      // stream, flags, status, header, body
	frameTaken                       // stream: the connection is a stream of bytes from now on
	frameData                        // stream, flags, bytes
	frameCredit                      // stream, n: as many bytes were consumed
	frameDone                        // stream: the answer was written to the client
	frameEnd                         // stream: nothing follows and nothing is read any more
	frameReset                       // stream, n: why
)

const (
	flagFin     = 1 << iota // no more bytes in this direction
	flagConfirm             // frameDone is awaited
	flagTLS                 // the client came over TLS
	flagAsk                 // the receiver is to say hello too
)

// Why a stream was reset.
const (
	resetAborted  = iota // the request or the connection failed on the other side
	resetUnknown         // there is no such session
	resetOverload        // a bound was reached
	resetGap             // something between the nodes was lost
)

// relayFrame is a frame of any kind; which fields count depends on that.
type relayFrame struct {
	kind   relayKind
	stream uint64
	n      uint64
	flags  byte
	status int
	header http.Header
	data   []byte // decoded: part of the message
	req    *relayRequest
}

// relayRequest is a request without its body.
type relayRequest struct {
	sid, method, uri, host, remote, tlsName, tlsProto string

	major, minor       byte
	tlsVersion, cipher uint16
	length             int64
}

// relayHead is what a message begins with.
type relayHead struct {
	from    NodeID
	link, n uint64
}

var (
	errRelayVersion = errors.New("cluster: message of another version")
	errRelayWire    = errors.New("cluster: malformed message")
)

func (h relayHead) append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, relayVersion), uint32(h.from))
	return binary.AppendUvarint(binary.AppendUvarint(dst, h.link), h.n)
}

func appendText[T string | []byte](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendHeader(dst []byte, h http.Header) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(h)))
	for name, values := range h {
		dst = binary.AppendUvarint(appendText(dst, name), uint64(len(values)))
		for _, v := range values {
			dst = appendText(dst, v)
		}
	}
	return dst
}

func (q *relayRequest) append(dst []byte) []byte {
	for _, s := range []string{q.sid, q.method, q.uri, q.host, q.remote, q.tlsName, q.tlsProto} {
		dst = appendText(dst, s)
	}
	dst = append(dst, q.major, q.minor)
	dst = binary.AppendUvarint(dst, uint64(q.tlsVersion))
	dst = binary.AppendUvarint(dst, uint64(q.cipher))
	return binary.AppendUvarint(dst, uint64(q.length+1))
}

func (f *relayFrame) append(dst []byte) []byte {
	dst = append(dst, byte(f.kind))
	if f.kind >= frameOpen {
		dst = binary.AppendUvarint(dst, f.stream)
	}
	switch f.kind {
	case frameHello:
		dst = append(binary.BigEndian.AppendUint64(dst, f.n), f.flags)
	case framePing, framePong, frameCredit, frameReset:
		dst = binary.AppendUvarint(dst, f.n)
	case frameOpen:
		dst = appendText(appendHeader(f.req.append(append(dst, f.flags)), f.header), f.data)
	case frameAnswer:
		dst = binary.AppendUvarint(append(dst, f.flags), uint64(f.status))
		dst = appendText(appendHeader(dst, f.header), f.data)
	case frameData:
		dst = appendText(append(dst, f.flags), f.data)
	}
	return dst
}

// relayReader takes a message apart.
type relayReader struct {
	b   []byte
	bad bool
}

func (r *relayReader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	p := r.b[:n:n]
	r.b = r.b[n:]
	return p
}

func (r *relayReader) byte() byte {
	if p := r.bytes(1); p != nil {
		return p[0]
	}
	return 0
}

func (r *relayReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// small is a number that fits its field.
func (r *relayReader) small(most uint64) uint64 {
	v := r.uvarint()
	if v > most {
		r.bad, r.b = true, nil
		return 0
	}
	return v
}

func (r *relayReader) text() string { return string(r.bytes(r.uvarint())) }

func (r *relayReader) header() http.Header {
	names := r.small(uint64(len(r.b)))
	h := make(http.Header, min(names, 32))
	for ; names > 0 && !r.bad; names-- {
		name := r.text()
		for n := r.small(uint64(len(r.b))); n > 0 && !r.bad; n-- {
			h[name] = append(h[name], r.text())
		}
	}
	return h
}

func (r *relayReader) request() *relayRequest {
	q := new(relayRequest)
	for _, s := range []*string{&q.sid, &q.method, &q.uri, &q.host, &q.remote, &q.tlsName, &q.tlsProto} {
		*s = r.text()
	}
	q.major, q.minor = r.byte(), r.byte()
	q.tlsVersion, q.cipher = uint16(r.small(1<<16-1)), uint16(r.small(1<<16-1))
	q.length = int64(r.small(1<<62)) - 1
	return q
}

// head takes the beginning of a message.
func (r *relayReader) head() (h relayHead, err error) {
	if len(r.b) == 0 || r.b[0] != relayVersion {
		return h, errRelayVersion
	}
	r.byte()
	if p := r.bytes(4); p != nil {
		h.from = NodeID(binary.BigEndian.Uint32(p))
	}
	h.link, h.n = r.uvarint(), r.uvarint()
	if r.bad {
		return h, errRelayWire
	}
	return h, nil
}

// next takes a frame; more is false at the end of the message. The strings are
// copies, data is not.
func (r *relayReader) next() (f relayFrame, more bool, err error) {
	if len(r.b) == 0 {
		return f, false, nil
	}
	f.kind = relayKind(r.byte())
	if f.kind >= frameOpen {
		f.stream = r.uvarint()
	}
	switch f.kind {
	case frameHello:
		if p := r.bytes(8); p != nil {
			f.n = binary.BigEndian.Uint64(p)
		}
		f.flags = r.byte()
	case framePing, framePong, frameCredit, frameReset:
		f.n = r.uvarint()
	case frameOpen:
		f.flags = r.byte()
		f.req, f.header, f.data = r.request(), r.header(), r.bytes(r.uvarint())
	case frameAnswer:
		f.flags, f.status = r.byte(), int(r.small(999))
		f.header, f.data = r.header(), r.bytes(r.uvarint())
	case frameData:
		f.flags = r.byte()
		f.data = r.bytes(r.uvarint())
	case frameBye, frameGap, frameTaken, frameDone, frameEnd:
	default:
		r.bad = true
	}
	if r.bad {
		return f, false, errRelayWire
	}
	return f, true, nil
}
