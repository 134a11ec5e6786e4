//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
)

// room is one that is published to; its messages are numbered.
type room struct {
	number  uint32 // of the next message
	ring    []publication
	members int
}

// publication is a message to a room.
type publication struct {
	number  uint32
	payload []byte // as it comes to members
	left    int    // members that do not have it yet
	at      int64
}

// membership is a client's place in a room: what it is to get next.
type membership struct {
	room int
	next uint32
}

// publisher sends to rooms and checks what comes to their members.
type publisher struct {
	r     *run
	rooms []room
	free  []int // rooms that can take another message
	rnd   *rand.Rand
	pad   string
	out   []byte
}

const (
	eventHead = `42["msg","` // then room and number, 8 digits each, then the padding
	eventTail = `"]`
)

// publish has o.window messages under way: one in each of as many rooms, or all
// of them in the only room.
func (r *run) publish() error {
	b, _, err := r.newPublisher()
	if err != nil {
		return err
	}
	for range r.o.window {
		b.send()
	}
	return r.window()
}

// newPublisher connects all clients and has them join their rooms: client i is
// in the rooms i/members, (i+clients)/members and so on.
func (r *run) newPublisher() (*publisher, []*client, error) {
	b := &publisher{r: r, rnd: rand.New(rand.NewPCG(uint64(r.o.round), 1)), rooms: make([]room, r.o.rooms)}
	b.pad = strings.Repeat("abcdefghijklmnopqrstuvwxyz012345", 1+r.o.size/32)[:r.o.size-16]
	if r.o.members > r.o.clients {
		return nil, nil, fmt.Errorf("%d members of %d clients", r.o.members, r.o.clients)
	}
	if err := r.dialControl(); err != nil {
		return nil, nil, err
	}
	all, err := r.dialAll(r.o.clients, nil)
	if err != nil {
		return nil, nil, err
	}
	ring := 1
	if len(b.rooms) == 1 {
		ring = r.o.window
	}
	for i := range b.rooms {
		b.rooms[i] = room{ring: make([]publication, ring), members: r.o.members}
		for k := range ring {
			b.rooms[i].ring[k].number = uint32(k) - uint32(ring) // of a message before the first
			b.free = append(b.free, i)
		}
	}
	if len(b.free) < r.o.window {
		return nil, nil, fmt.Errorf("%d messages at a time in %d rooms", r.o.window, len(b.rooms))
	}
	for i := range r.o.rooms * r.o.members {
		c := all[i%len(all)]
		c.rooms = append(c.rooms, membership{room: i / r.o.members})
	}
	return b, all, b.join(all)
}

// join has all clients enter their rooms, each one after the other.
func (b *publisher) join(all []*client) error {
	left := 0
	var enter func(c *client, k int) error
	enter = func(c *client, k int) error {
		if k == len(c.rooms) {
			c.packet = b.delivered
			left--
			return nil
		}
		c.call("join", fmt.Sprintf(`,"r%d"`, c.rooms[k].room), func(args string) error {
			if args != "[]" {
				return fmt.Errorf("join was answered with %q", args)
			}
			return enter(c, k+1)
		})
		return nil
	}
	for _, c := range all {
		if len(c.rooms) > 0 {
			left++
			if err := enter(c, 0); err != nil {
				return err
			}
		}
	}
	return b.r.l.until("joining", 2*patience, func() bool { return left == 0 })
}

// send publishes to one of the rooms that can take it.
func (b *publisher) send() {
	k := b.rnd.IntN(len(b.free))
	n := b.free[k]
	b.free[k] = b.free[len(b.free)-1]
	b.free = b.free[:len(b.free)-1]
	rm := &b.rooms[n]
	p := &rm.ring[rm.number%uint32(len(rm.ring))]
	room, number := hex8(uint32(n)), hex8(rm.number)
	p.number, p.left, p.at = rm.number, rm.members, b.r.now()
	p.payload = append(append(append(append(append(p.payload[:0], eventHead...), room[:]...), number[:]...), b.pad...), eventTail...)
	b.out = append(fmt.Appendf(b.out[:0], `42["pub","r%d",`, n), p.payload[len(eventHead)-1:]...)
	b.r.control.conn.send(func(dst []byte) []byte { return appendFrame(dst, textFrame, b.out) })
	rm.number++
	b.r.pending++
}

// delivered handles what a member gets.
func (b *publisher) delivered(c *client, first byte, payload []byte) error {
	m := &c.rooms[0]
	if len(c.rooms) > 1 {
		var err error
		if m, err = c.member(payload); err != nil {
			return err
		}
	}
	rm := &b.rooms[m.room]
	p := &rm.ring[m.next%uint32(len(rm.ring))]
	if first != textFrame || p.number != m.next || !bytes.Equal(payload, p.payload) {
		return b.wrong(m, payload)
	}
	m.next++
	b.r.counted(1, 0)
	if p.left--; p.left > 0 {
		return nil
	}
	b.r.pending--
	if b.r.measuring {
		b.r.late.add(b.r.now() - p.at)
	}
	b.free = append(b.free, m.room)
	if !b.r.stopping {
		b.send()
	}
	return nil
}

// member returns the membership that a message is for.
func (c *client) member(payload []byte) (*membership, error) {
	if bytes.HasPrefix(payload, []byte(eventHead)) {
		n, ok := unhex8(payload[len(eventHead):])
		for i := range c.rooms {
			if ok && c.rooms[i].room == int(n) {
				return &c.rooms[i], nil
			}
		}
	}
	return nil, fmt.Errorf("not a message of one of its rooms: %.80q", payload)
}

// wrong tells what is wrong with a message.
func (b *publisher) wrong(m *membership, payload []byte) error {
	head := len(eventHead) + 8
	if len(payload) < head || !bytes.HasPrefix(payload, []byte(eventHead)) {
		return fmt.Errorf("not a message of a room: %.80q", payload)
	}
	room, ok := unhex8(payload[len(eventHead):])
	number, ok2 := unhex8(payload[head:])
	switch {
	case !ok || !ok2 || int(room) != m.room:
		return fmt.Errorf("room %d: not a message of it: %.80q", m.room, payload)
	case number < m.next:
		return fmt.Errorf("room %d: message %d came twice (next is %d)", m.room, number, m.next)
	case number > m.next:
		return fmt.Errorf("room %d: message %d came, message %d is lost or out of order", m.room, number, m.next)
	case b.rooms[m.room].number <= number:
		return fmt.Errorf("room %d: message %d came and was never sent", m.room, number)
	}
	return errors.New("a message was changed: " + string(payload[:min(len(payload), 80)]))
}
