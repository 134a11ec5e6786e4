package cluster

import (
	"context"
	"errors"
	"slices"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// backlog is what a session missed, as far as the log was read. It belongs to
// the Restore that made it.
type backlog struct {
	log     Log
	policy  adapters.Recovery
	session *storedSession

	namespace string // of the packets

	stays   map[string][]stay // by room
	next    Offset            // read up to here
	last    Offset            // of the newest packet that was missed
	packets []*parser.Packet
	count   int // attachments included
	bytes   int
}

// newBacklog finds where to begin, for a client that has everything up to an
// offset; false means that it is not known where the socket was since then. Of a
// session that an official node stored only the rooms of its end are known.
func newBacklog(log Log, policy adapters.Recovery, s *storedSession, offset Offset, given bool) (*backlog, bool) {
	b := &backlog{log: log, policy: policy, session: s, stays: make(map[string][]stay, len(s.here))}
	after := offset
	if s.node == "" {
		if !given {
			return nil, false
		}
	} else {
		after = later(after, s.since)
		if !s.last.After(after) { // it has all that was sent while it was there
			after = later(after, s.left)
		}
	}
	b.next = after
	for room, from := range s.here {
		b.stays[room] = append(b.stays[room], stay{room, from, forever})
	}
	for _, p := range s.past {
		b.stays[p.room] = append(b.stays[p.room], p)
	}
	return b, !s.floor.After(after)
}

// read reads the log up to an offset. The error is [adapters.ErrNoSession] when
// too much was missed, or what was missed is not kept any more.
func (b *backlog) read(ctx context.Context, upTo Offset) error {
	for upTo.After(b.next) {
		entries, next, err := b.log.Read(ctx, b.next, upTo)
		switch {
		case errors.Is(err, ErrTrimmed):
			return adapters.ErrNoSession
		case err != nil:
			return err
		}
		for _, e := range entries {
			if b.missed(e) {
				b.add(e)
			}
		}
		if b.tooMuch() {
			return adapters.ErrNoSession
		}
		b.next = next
	}
	return nil
}

// add adds a packet, with its offset. One that an official node sent to a single
// socket may ask for an ack, which nobody waits for any more.
func (b *backlog) add(e LogEntry) {
	p := *e.Message.Packet
	p.Namespace = b.namespace
	p.ID, p.HasID = 0, false
	p.JSON = withOffset(p.JSON, e.Offset)
	b.packets = append(b.packets, &p)
	b.last = e.Offset
	b.count += 1 + len(p.Attachments)
	b.bytes += len(p.JSON)
	for _, a := range p.Attachments {
		b.bytes += len(a)
	}
}

// addLate adds what this node handed over before its entries came and before the
// socket did: when the entries come they are passed over. Who joined a room at the
// offset at which one was handed over counts as having been there before.
func (b *backlog) addLate(list []*ownEntry, at Offset) {
	for _, e := range list {
		in := func(room string) bool {
			return slices.ContainsFunc(b.stays[room], func(s stay) bool { return !s.from.After(e.handed) && !e.handed.After(s.to) })
		}
		if meant(e.message, in) {
			b.add(LogEntry{at, e.message})
		}
	}
}

func (b *backlog) tooMuch() bool {
	return b.policy.BacklogPackets > 0 && b.count > b.policy.BacklogPackets ||
		b.policy.BacklogBytes > 0 && b.bytes > b.policy.BacklogBytes
}

// missed reports whether a packet was meant for the session.
func (b *backlog) missed(e LogEntry) bool {
	return meant(e.Message, func(room string) bool { return b.stayed(room, e.Offset) })
}

// meant reports whether a message is kept for who is in some rooms.
func meant(m *Message, in func(room string) bool) bool {
	t := &m.Target
	if t.Flags.Volatile || m.RequestID != "" {
		return false
	}
	return (len(t.Rooms) == 0 || slices.ContainsFunc(t.Rooms, in)) && !slices.ContainsFunc(t.Except, in)
}

// stayed reports whether the socket was in a room at an offset.
func (b *backlog) stayed(room string, at Offset) bool {
	for _, s := range b.stays[room] {
		if at.After(s.from) && !at.After(s.to) {
			return true
		}
	}
	return false
}
