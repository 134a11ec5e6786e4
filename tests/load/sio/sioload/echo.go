//go:build linux

package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Ids of acks have four digits, so that all messages of a client have the same
// length and are built beforehand.
const (
	firstID = 1000
	lastID  = 9999
)

// field is a place in a message where digits are put in.
type field struct{ at, phase int } // phase: position in the payload, for the mask

// message is what one echo sends: one or two frames, with the places of the id
// and of the number, and the payloads that are to come back.
type message struct {
	frames []byte
	masked bool
	ids    []field
	number field
	binID  bool // the id is two bytes, not four digits

	want       [][]byte
	wantID     int // place in want[0]
	wantNumber [2]int
	wantFirst  [2]byte
}

// placeholders while a message is built.
const (
	idMark     = "\x01\x02\x03\x04"
	numberMark = "\x05\x06\x07\x08\x09\x0a\x0b\x0c"
)

// put writes digits over the place, masked if need be.
func (m *message) put(dst []byte, f field, digits []byte) {
	copy(dst[f.at:], digits)
	if m.masked {
		mask(dst[f.at:f.at+len(digits)], f.phase)
	}
}

// digits4 and hex8 write numbers of fixed width.
func digits4(n int) (d [4]byte) {
	d[0], d[1], d[2], d[3] = byte('0'+n/1000%10), byte('0'+n/100%10), byte('0'+n/10%10), byte('0'+n%10)
	return d
}

func hex8(n uint32) (d [8]byte) {
	const hex = "0123456789abcdef"
	for i := range d {
		d[i] = hex[n>>(28-4*i)&15]
	}
	return d
}

// unhex8 reads what hex8 wrote.
func unhex8(p []byte) (n uint32, ok bool) {
	if len(p) < 8 {
		return 0, false
	}
	for _, b := range p[:8] {
		switch {
		case b >= '0' && b <= '9':
			b -= '0'
		case b >= 'a' && b <= 'f':
			b -= 'a' - 10
		default:
			return 0, false
		}
		n = n<<4 | uint32(b)
	}
	return n, true
}

// newMessage builds the message of a client: kind is text, json, json1k, bin,
// msgpack or deflate, which is an object of 2 KB; over polling it is not framed.
func newMessage(kind string, size, client int, polling bool) (*message, error) {
	m := &message{masked: !polling, wantFirst: [2]byte{textFrame, binaryFrame}}
	body := func(size int) string { // two numbers, then padding
		who := hex8(uint32(client))
		return numberMark + string(who[:]) + strings.Repeat("abcdefghijklmnopqrstuvwxyz012345", 1+size/32)[:size-16]
	}
	frame := func(first byte, payload string) {
		at := len(m.frames)
		if m.masked {
			m.frames = appendFrame(m.frames, first, []byte(payload))
		} else {
			m.frames = append(m.frames, payload...)
		}
		head := len(m.frames) - len(payload)
		if at > head {
			panic("a payload that is longer than its frame")
		}
		if i := strings.Index(payload, idMark); i >= 0 {
			m.ids = append(m.ids, field{head + i, i})
		}
		if i := strings.Index(payload, numberMark); i >= 0 {
			m.number = field{head + i, i}
		}
	}
	var arg, binary string
	switch kind {
	case "text":
		arg = `"` + body(size) + `"`
	case "json":
		arg = object(client)
	case "json1k":
		arg = largeObject(client, 6)
	case "deflate":
		arg = largeObject(client, 14)
	case "bin":
		arg, binary = `{"_placeholder":true,"num":0}`, body(size)
	case "msgpack":
		m.pack(frame, body(size))
		return m, nil
	default:
		return nil, fmt.Errorf("no payload %q", kind)
	}
	if binary != "" {
		frame(textFrame, "451-"+idMark+`["echo",`+arg+`]`)
		frame(binaryFrame, binary)
		m.expect("461-"+idMark+"["+arg+"]", binary)
	} else {
		frame(textFrame, "42"+idMark+`["echo",`+arg+`]`)
		m.expect("43" + idMark + "[" + arg + "]")
	}
	return m, nil
}

// expect notes the payloads that come back.
func (m *message) expect(payloads ...string) {
	m.wantNumber = [2]int{-1, -1}
	for i, p := range payloads {
		m.want = append(m.want, []byte(p))
		m.wantNumber[i] = strings.Index(p, numberMark)
	}
	m.wantID = strings.Index(payloads[0], idMark)
}

// object is a JSON object of about 200 bytes, with its keys in order.
func object(client int) string {
	return `{"active":true,"id":` + strconv.Itoa(client) + `,"name":"user-` + numberMark +
		`","position":{"lat":48.8566,"lon":2.3522,"z":-17},"roles":["admin","editor"],"score":1234567,"text":"The quick brown fox jumps over the lazy dog.","update":null}`
}

// largeObject is one of about a kilobyte, with six items.
func largeObject(client, n int) string {
	item := func(i int) string {
		return `{"amount":` + strconv.Itoa(1000+i) + `.25,"currency":"EUR","id":"item-` + strconv.Itoa(i) + `","paid":` + strconv.FormatBool(i%2 == 0) +
			`,"tags":["one","two","three"],"title":"A thing that somebody bought"}`
	}
	var items []string
	for i := range n {
		items = append(items, item(i))
	}
	return `{"customer":` + object(client) + `,"items":[` + strings.Join(items, ",") + `],"version":3}`
}

// build appends the message with an id and a number.
func (m *message) build(dst []byte, id int, number uint32) []byte {
	at := len(dst)
	dst = append(dst, m.frames...)
	d, n := digits4(id), hex8(number)
	for _, f := range m.ids {
		if m.binID {
			m.put(dst[at:], f, []byte{byte(id >> 8), byte(id)})
		} else {
			m.put(dst[at:], f, d[:])
		}
	}
	m.put(dst[at:], m.number, n[:])
	return dst
}

// echoer keeps the echoes of one client that are under way.
type echoer struct {
	m      *message
	slots  []slot
	number uint32
	// half is the slot whose binary part is to come, or nil.
	half *slot
	// deflate, if not nil, has the messages; their numbers are their ids.
	deflate *deflater
}

// slot is one echo under way. Slot i of n has the ids firstID + i, + i + n, and
// so on.
type slot struct {
	id     int // 0 before the first
	number uint32
	at     int64 // when it was due, 0 if nothing is under way
}

func newEchoer(m *message, slots int) *echoer { return &echoer{m: m, slots: make([]slot, slots)} }

// send appends the next echo of a slot, in which nothing is under way, due at
// the given time.
func (e *echoer) send(dst []byte, s int, at int64) []byte {
	p := &e.slots[s]
	end := lastID + 1
	if e.deflate != nil {
		end = firstID + deflateIDs
	}
	p.id += len(e.slots)
	if p.id < firstID || p.id >= end {
		p.id = firstID + s
	}
	e.number++
	p.number, p.at = e.number, at
	if e.deflate != nil {
		p.number = uint32(p.id)
		return append(dst, e.deflate.frames[p.id]...)
	}
	return e.m.build(dst, p.id, p.number)
}

// receive checks a payload and returns when the echo that it completes was due,
// and its slot, which is free again; 0 if it is the first of two parts.
func (e *echoer) receive(first byte, p []byte) (at int64, slot int, err error) {
	s, err := e.match(first, p)
	if err != nil || s == nil {
		return 0, 0, err
	}
	at, s.at = s.at, 0
	return at, (s.id - firstID) % len(e.slots), nil
}

// match returns the slot that a payload completes, nil if it is the first of two
// parts.
func (e *echoer) match(first byte, p []byte) (*slot, error) {
	if e.half != nil {
		s := e.half
		e.half = nil
		return s, e.compare(1, s, first, p)
	}
	m := e.m
	if e.deflate != nil {
		var err error
		if p, err = e.deflate.open(first, p); err != nil {
			return nil, err
		}
		first = textFrame
	}
	id, err := m.idOf(p)
	if err != nil {
		return nil, err
	}
	s := &e.slots[(id-firstID)%len(e.slots)]
	if s.at == 0 || s.id != id {
		return nil, fmt.Errorf("ack %d twice, or of nothing: %.80q", id, p)
	}
	if err := e.compare(0, s, first, p); err != nil {
		return nil, err
	}
	if len(m.want) == 2 {
		e.half = s
		return nil, nil
	}
	return s, nil
}

// idOf reads the id of an ack.
func (m *message) idOf(p []byte) (int, error) {
	if m.binID {
		return m.packID(p)
	}
	if at := m.wantID; len(p) >= at+4 {
		id := 0
		for _, b := range p[at : at+4] {
			id = id*10 + int(b-'0')
		}
		if id >= firstID && id <= lastID {
			return id, nil
		}
	}
	return 0, fmt.Errorf("not an ack: %.80q", p)
}

// compare compares a part with what is to come back.
func (e *echoer) compare(part int, s *slot, first byte, p []byte) error {
	m := e.m
	want := m.want[part]
	if part == 0 && !m.binID {
		d := digits4(s.id)
		copy(want[m.wantID:], d[:])
	}
	if at := m.wantNumber[part]; at >= 0 {
		n := hex8(s.number)
		copy(want[at:], n[:])
	}
	if m.binID {
		var err error
		if p, err = packArgument(p); err != nil {
			return err
		}
	}
	if first != m.wantFirst[part] || !bytes.Equal(p, want) {
		return fmt.Errorf("ack %d: frame %#x with %.120q came back, want %.120q", s.id, first, p, want)
	}
	return nil
}
