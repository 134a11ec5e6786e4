package memory

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// recovery is what an Adapter has when sessions can be restored. An offset is
// the epoch, which no other adapter has, and the number of the packet.
//
// Who holds turn numbers a packet and hands it over, so that every client gets
// its packets in the order of their numbers. What is not said to belong to turn
// belongs to who holds Adapter.mu for writing, or turn and then Adapter.mu for
// reading.
type recovery struct {
	policy adapters.Recovery
	epoch  string // with the hyphen
	sweeps sync.WaitGroup

	turn    sync.Mutex // held while a packet is numbered and handed over; guards scratch
	scratch []byte     // the text of a volatile packet

	log     packetLog
	newest  map[*room]uint64   // the number of the newest packet to a room, if any
	records map[string]*record // by pid: sessions of living and of lost sockets
	// restoring has those that a Restore has taken out of records, until it ends.
	restoring map[string]*record
	of        map[adapters.Member]*record // of those that are in their rooms
	oldest    *record                     // lost sessions, the first to expire first
	latest    *record
	timer     *time.Timer // armed while there are lost sessions or packets
}

// record is a session and what the adapter knows of it. It belongs to who holds
// Adapter.mu for writing; who took it out of records has it alone.
type record struct {
	session adapters.Session
	member  adapters.Member // the living socket; nil when it is lost
	over    chan struct{}   // closed when the socket is lost or forgotten, or the session restored; made by who waits

	since uint64 // the newest packet at CONNECT
	left  uint64 // the newest packet when the socket left
	last  uint64 // no later packet was addressed to the socket while it was there
	floor uint64 // nothing is known of the rooms when the packets up to here were sent
	past  []stay // that have ended, in this order
	here  []stay // that go on, of a session without a socket; those of a living one are its seats

	lostAt     time.Time
	prev, next *record // of the lost sessions
}

// stay is the time of a socket in a room: it was sent packets with numbers
// above from, up to to.
type stay struct {
	room     string
	from, to uint64
}

// forever is the end of a stay that goes on.
const forever = ^uint64(0)

// offsetRoom is the most that an offset adds to a packet.
const offsetRoom = len(`,""`) + 9 + 20

func newRecovery(policy adapters.Recovery) *recovery {
	var b [6]byte
	rand.Read(b[:])
	return &recovery{
		policy:    policy,
		epoch:     base64.RawURLEncoding.EncodeToString(b[:]) + "-",
		log:       packetLog{first: 1},
		newest:    make(map[*room]uint64),
		records:   make(map[string]*record),
		restoring: make(map[string]*record),
		of:        make(map[adapters.Member]*record),
	}
}

// offset is the offset of a number.
func (r *recovery) offset(number uint64) string { return r.epoch + strconv.FormatUint(number, 10) }

// number is the number in an offset; ok tells whether it is an offset at all.
// One of another epoch is from before the CONNECT of the session, since each
// packet after it had one of this epoch: it is 0.
func (r *recovery) number(offset string) (n uint64, ok bool) {
	digits, own := strings.CutPrefix(offset, r.epoch)
	if !own {
		i := strings.LastIndexByte(offset, '-')
		if i+1 != len(r.epoch) {
			return 0, false
		}
		digits = offset[i+1:]
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || digits != strconv.FormatUint(n, 10) {
		return 0, false
	}
	if !own {
		n = 0
	}
	return n, true
}

// publish is Broadcast for a packet that gets an offset.
func (a *Adapter) publish(p *parser.Packet, t adapters.Target) {
	r := a.recovery
	var e *entry
	if !t.Flags.Volatile {
		e = newEntry(p, t, offsetRoom)
	}
	r.turn.Lock()
	defer r.turn.Unlock()
	s := a.scratch.Get().(*selection)
	defer a.release(s)
	a.mu.RLock()
	if a.ended {
		a.mu.RUnlock()
		return
	}
	q := r.keep(p, e)
	if e != nil {
		a.address(r, t.Rooms)
		a.arm(e.at)
	}
	a.fill(s, t)
	a.mu.RUnlock()
	if len(s.members) > 0 {
		a.local.Deliver(q, t.Flags, s.all)
	}
}

// keep gives the packet of e the next number, or p, which is volatile, the
// offset of the newest one, and returns it with its offset.
func (r *recovery) keep(p *parser.Packet, e *entry) *parser.Packet {
	if e == nil {
		q := *p
		r.scratch = append(append(append(r.scratch[:0], p.JSON[:len(p.JSON)-1]...), `,"`...), r.epoch...)
		r.scratch = append(strconv.AppendUint(r.scratch, r.log.head, 10), `"]`...)
		q.JSON = r.scratch
		return &q
	}
	text := e.packet.JSON
	text = append(append(text[:len(text)-1], `,"`...), r.epoch...)
	e.packet.JSON = append(strconv.AppendUint(text, r.log.head+1, 10), `"]`...)
	r.log.add(e)
	r.log.trim(r.policy.LogBytes, e.at.Add(-r.policy.Retention))
	return &e.packet
}

// address notes which rooms the newest packet went to.
func (a *Adapter) address(r *recovery, rooms []string) {
	if len(rooms) == 0 {
		r.newest[&a.everyone] = r.log.head
	}
	for _, name := range rooms {
		if in := a.rooms.Get(name); in != nil {
			r.newest[in] = r.log.head
		}
	}
}

// left notes that m is about to give up a seat. Adapter.mu is held.
func (r *recovery) left(m adapters.Member, in *seat) {
	if rec := r.of[m]; rec != nil {
		rec.last = max(rec.last, r.newest[in.room])
		rec.remember(stay{in.room.name, in.since, r.log.head}, r.log.first)
	}
}

// gone notes that m leaves all rooms, as the end of its socket. Adapter.mu is
// held.
func (r *recovery) gone(m adapters.Member, o *occupant) {
	rec := r.of[m]
	if rec == nil {
		return
	}
	for i := range o.seats {
		rec.last = max(rec.last, r.newest[o.seats[i].room])
	}
	for _, s := range o.seats[1:] {
		rec.here = append(rec.here, stay{s.room.name, s.since, forever})
	}
	rec.left = r.log.head
	delete(r.of, m)
}

// maxPast is how many stays that have ended a session has.
const maxPast = 4096

// remember keeps a stay that has ended, unless nothing was sent meanwhile; first
// is the oldest packet. If there are too many the older half is forgotten: then
// the session cannot be restored from that time.
func (rec *record) remember(s stay, first uint64) {
	if s.from >= s.to {
		return
	}
	if n := len(rec.past); n >= 16 && n&(n-1) == 0 { // so that the cost is small
		rec.past = slices.DeleteFunc(rec.past, func(s stay) bool { return s.to < first })
	}
	if len(rec.past) >= maxPast {
		rec.floor = rec.past[maxPast/2-1].to
		rec.past = slices.Delete(rec.past, 0, maxPast/2)
	}
	rec.past = append(rec.past, s)
}
