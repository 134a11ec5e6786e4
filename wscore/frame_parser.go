package wscore

import (
	"encoding/binary"
	"errors"
)

// parser turns bytes into frames and messages. It is a pure state machine: it
// reads from nothing and writes to nothing, and keeps no bytes but those of an
// unfinished header, control frame or message. It belongs to the goroutine
// that reads the connection.
type parser struct {
	limit   uint64 // of a message in bytes; 0 is none
	masked  bool   // frames must be masked (server) or must not be (client)
	deflate bool   // permessage-deflate was negotiated
	stream  bool   // data is handed out as it comes

	hdr  [14]byte // header bytes so far
	hn   uint8
	body bool // the header is complete
	fin  bool
	op   Opcode // of the frame
	left uint64 // payload bytes to come
	key  uint32

	open  bool   // a message is unfinished
	zip   bool   // it is deflated
	msgOp Opcode // its opcode
	size  uint64 // its payload bytes in the frames begun
	utf   utf8Check
	kept  *kept // nil until something is kept
}

// kept are the bytes of payloads of which more is to come.
type kept struct {
	msg []byte // of a message
	ctl []byte // of a control frame; nil if none is unfinished
}

// keeping is p.kept, made when it is not there.
func (p *parser) keeping() *kept {
	if p.kept == nil {
		p.kept = new(kept)
	}
	return p.kept
}

// item is what the parser found: a complete message or control frame, or in
// stream a piece of a message.
type item struct {
	op   Opcode
	data []byte // valid until the next call
	ok   bool   // there is one
	zip  bool   // data is deflated
	part bool   // a piece, after which the message goes on
}

// fault is a violation of the protocol by the peer.
type fault struct {
	code CloseCode
	msg  string
}

func (f *fault) Error() string { return f.msg }

var (
	errRSV         = &fault{CloseProtocolError, "reserved bit set"}
	errOpcode      = &fault{CloseProtocolError, "reserved opcode"}
	errControlLen  = &fault{CloseProtocolError, "control frame too long"}
	errControlFrag = &fault{CloseProtocolError, "fragmented control frame"}
	errUnmasked    = &fault{CloseProtocolError, "frame not masked"}
	errMasked      = &fault{CloseProtocolError, "frame masked"}
	errLength      = &fault{CloseProtocolError, "length not in its shortest form"}
	errLengthMSB   = &fault{CloseProtocolError, "length with the top bit set"}
	errContinue    = &fault{CloseProtocolError, "continuation of nothing"}
	errInterleave  = &fault{CloseProtocolError, "message within a fragmented message"}
	errTooBig      = &fault{CloseTooBig, "message too big"}
	errUTF8        = &fault{CloseInvalidPayload, "invalid UTF-8"}
)

// busy reports whether a frame or message is unfinished.
func (p *parser) busy() bool { return p.hn > 0 || p.open }

// next consumes bytes of in, which it may change, up to the end of the first
// complete item. After an error the connection is to be failed.
func (p *parser) next(in []byte) (n int, it item, err error) {
	if !p.body {
		if n, err = p.header(in); err != nil || !p.body {
			return n, it, err
		}
	}
	chunk := in[n:]
	if uint64(len(chunk)) > p.left {
		chunk = chunk[:p.left]
	}
	n += len(chunk)
	p.left -= uint64(len(chunk))
	p.key = mask(chunk, p.key)
	if p.op.control() {
		return n, p.control(chunk), nil
	}
	it, err = p.data(chunk)
	return n, it, err
}

// header gathers and checks the header of a frame. RFC 6455 section 5.2.
func (p *parser) header(in []byte) (n int, err error) {
	need := 2
	for {
		if int(p.hn) < need {
			c := copy(p.hdr[p.hn:need], in[n:])
			p.hn += uint8(c)
			n += c
			if int(p.hn) < need {
				return n, nil
			}
		}
		if need == 2 {
			if err := p.first2(); err != nil {
				return n, err
			}
			if need = p.headerLen(); need > 2 {
				continue
			}
		}
		return n, p.begin()
	}
}

// headerLen is the length of the header that its first two bytes announce.
func (p *parser) headerLen() int {
	n := 2
	switch p.hdr[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if p.hdr[1]&0x80 != 0 {
		n += 4
	}
	return n
}

// first2 checks what the first two bytes of a header say.
func (p *parser) first2() error {
	b0, b1 := p.hdr[0], p.hdr[1]
	p.fin, p.op = b0&0x80 != 0, Opcode(b0&0xf)
	switch {
	case b0&0x70 != 0 && (b0&0x70 != bitRSV1 || !p.deflate || p.op != OpText && p.op != OpBinary):
		return errRSV
	case p.masked && b1&0x80 == 0:
		return errUnmasked
	case !p.masked && b1&0x80 != 0:
		return errMasked
	}
	switch p.op {
	case OpClose, OpPing, OpPong:
		if !p.fin {
			return errControlFrag
		}
		if b1&0x7f > maxControl {
			return errControlLen
		}
	case OpText, OpBinary:
		if p.open {
			return errInterleave
		}
	case OpContinuation:
		if !p.open {
			return errContinue
		}
	default:
		return errOpcode
	}
	return nil
}

// begin checks the length of a frame against the limit, before any memory is
// taken for it, and starts the payload.
func (p *parser) begin() error {
	length, rest := uint64(p.hdr[1]&0x7f), p.hdr[2:p.hn]
	switch length {
	case 126:
		length, rest = uint64(binary.BigEndian.Uint16(rest)), rest[2:]
		if length < 126 {
			return errLength
		}
	case 127:
		length, rest = binary.BigEndian.Uint64(rest), rest[8:]
		if length>>63 != 0 {
			return errLengthMSB
		}
		if length < 1<<16 {
			return errLength
		}
	}
	p.key = 0
	if p.masked {
		p.key = binary.LittleEndian.Uint32(rest)
	}
	if !p.op.control() {
		if p.op != OpContinuation {
			p.open, p.zip, p.msgOp, p.size = true, p.hdr[0]&bitRSV1 != 0, p.op, 0
		}
		if limit := p.wireLimit(); p.limit > 0 && (length > limit || p.size > limit-length) {
			return errTooBig
		}
		p.size += length
	}
	p.left, p.body = length, true
	return nil
}

// wireLimit is how long a message may be as it travels: deflating what cannot be
// deflated adds a little.
func (p *parser) wireLimit() uint64 {
	if p.zip {
		return p.limit + p.limit>>10 + 64
	}
	return p.limit
}

// endFrame makes ready for the next header.
func (p *parser) endFrame() { p.body, p.hn = false, 0 }

// control takes a piece of a control frame's payload.
func (p *parser) control(chunk []byte) item {
	if k := p.kept; k != nil && k.ctl != nil {
		chunk = append(k.ctl, chunk...)
		k.ctl = nil
	}
	if p.left > 0 {
		p.keeping().ctl = append(make([]byte, 0, maxControl), chunk...)
		return item{}
	}
	p.endFrame()
	return item{op: p.op, data: chunk, ok: true}
}

// data takes a piece of a data frame's payload.
func (p *parser) data(chunk []byte) (it item, err error) {
	if p.msgOp == OpText && !p.zip && !p.utf.add(chunk) {
		return it, errUTF8
	}
	last := p.left == 0 && p.fin
	if p.left == 0 {
		p.endFrame()
	}
	switch {
	case last:
		p.open = false
		if !p.utf.done() {
			return it, errUTF8
		}
		if k := p.kept; k != nil && len(k.msg) > 0 {
			chunk = append(k.msg, chunk...)
			k.msg = nil
		}
	case !p.stream:
		p.keep(chunk)
		return it, nil
	}
	return item{op: p.msgOp, data: chunk, ok: true, zip: p.zip, part: !last}, nil
}

// keep gathers a piece of a message. Memory is taken for what has come, and for
// some of what is announced, about four times as much at most.
func (p *parser) keep(chunk []byte) {
	if len(chunk) == 0 {
		return
	}
	k := p.keeping()
	if k.msg == nil {
		k.msg = make([]byte, 0, min(p.size, 4*uint64(len(chunk)+len(p.hdr)+2)))
	}
	k.msg = append(k.msg, chunk...)
}

// parseClose checks the payload of a close frame. RFC 6455 sections 5.5.1 and 7.4.
func parseClose(b []byte) (code CloseCode, reason string, err error) {
	if len(b) == 0 {
		return CloseNoStatus, "", nil
	}
	if len(b) == 1 {
		return 0, "", errCloseLen
	}
	code = CloseCode(binary.BigEndian.Uint16(b))
	if !code.mayTravel() {
		return 0, "", errCloseCode
	}
	var u utf8Check
	if !u.add(b[2:]) || !u.done() {
		return 0, "", errUTF8
	}
	return code, string(b[2:]), nil
}

var (
	errCloseLen  = &fault{CloseProtocolError, "close frame of one byte"}
	errCloseCode = &fault{CloseProtocolError, "close code that must not be sent"}
	errBadClose  = errors.New("wscore: close code or reason that must not be sent")
)

// mayTravel reports whether a close frame may carry the code. RFC 6455 section 7.4
// and the IANA registry.
func (c CloseCode) mayTravel() bool {
	switch {
	case c >= 3000 && c <= 4999:
		return true
	case c < 1000 || c > CloseBadGateway:
		return false
	}
	return c != 1004 && c != CloseNoStatus && c != CloseAbnormal
}
