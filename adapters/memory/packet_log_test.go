package memory

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// TestPacketLog: numbers lead to their entries, whatever was added and dropped;
// the bounds hold, and the ring gives its memory back.
func TestPacketLog(t *testing.T) {
	const limit = 100_000
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	l := packetLog{first: 1}
	now := time.Unix(0, 0)
	var all []*entry // by number
	for step := range 20_000 {
		now = now.Add(time.Duration(rnd.IntN(100)) * time.Millisecond)
		if step%5000 == 4999 {
			now = now.Add(time.Hour) // nobody emits for long
		}
		e := &entry{at: now, size: entryCost + rnd.IntN(1<<(step/2000))}
		all = append(all, e)
		l.add(e)
		l.trim(limit, now.Add(-10*time.Second))
		if l.bytes > limit || l.head != uint64(len(all)) {
			t.Fatalf("step %d: %d bytes, head %d", step, l.bytes, l.head)
		}
		bytes := 0
		for number := l.first; number <= l.head; number++ {
			if l.at(number) != all[number-1] {
				t.Fatalf("step %d: number %d leads elsewhere", step, number)
			}
			bytes += l.at(number).size
		}
		if bytes != l.bytes {
			t.Fatalf("step %d: %d bytes are counted, %d are there", step, l.bytes, bytes)
		}
		if l.first > 1 && l.bytes+all[l.first-2].size <= limit && !all[l.first-2].at.Before(now.Add(-10*time.Second)) {
			t.Fatalf("step %d: number %d was dropped without need", step, l.first-1)
		}
	}
	l.trim(limit, now.Add(time.Second))
	if l.length() != 0 || l.bytes != 0 || len(l.ring) > smallRing {
		t.Errorf("%d entries, %d bytes, %d places are left", l.length(), l.bytes, len(l.ring))
	}
}

// TestLargePacketIsNotKept: one that is larger than the log leaves it empty.
func TestLargePacketIsNotKept(t *testing.T) {
	l := packetLog{first: 1}
	l.add(&entry{size: 10})
	l.add(&entry{size: 1000})
	l.trim(100, time.Time{})
	if l.length() != 0 || l.bytes != 0 || l.head != 2 {
		t.Errorf("%d entries, %d bytes, head %d", l.length(), l.bytes, l.head)
	}
}

// TestEntriesAreCopies: nothing of the caller's memory is kept.
func TestEntriesAreCopies(t *testing.T) {
	for _, n := range []int{1, 300} {
		p := &parser.Packet{Type: parser.Event}
		p.JSON = fmt.Appendf(nil, `["e","%0*d",{"_placeholder":true,"num":0}]`, n, 7)
		p.Attachments = [][]byte{{1, 2}}
		target := adapters.Target{Rooms: []string{"a", "b"}, Except: []string{"c", "d"}}
		text := string(p.JSON)
		e := newEntry(p, target, offsetRoom)
		for i := range p.JSON {
			p.JSON[i] = 'x'
		}
		p.Attachments[0][0] = 9
		clear(target.Rooms)
		clear(target.Except)
		if string(e.packet.JSON) != text || e.packet.Attachments[0][0] != 1 || fmt.Sprint(e.rooms, e.except) != "[a b] [c d]" {
			t.Errorf("kept %s, %v, %v, %v", e.packet.JSON, e.packet.Attachments, e.rooms, e.except)
		}
	}
}

// TestRecoveryGivesBack: sessions, packets and what is known of rooms go with
// time, and the timer with them; Close ends it at any time.
func TestRecoveryGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQuiet()
		q.recovery = adapters.Recovery{On: true, MaxDisconnection: time.Minute, Retention: 90 * time.Second, LogBytes: 1 << 20}
		made, err := New()(q)
		if err != nil {
			t.Fatal(err)
		}
		a := made.(*Adapter)
		for i := range 1000 {
			m := &dummy{fmt.Sprint(i)}
			s := adapters.Session{ID: m.id, PID: "p" + m.id}
			if err := a.Join(t.Context(), m, m.id, "room"); err != nil {
				t.Fatal(err)
			}
			a.Save(m, s)
			if err := a.Broadcast(&parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(`["e"]`)}}, adapters.Target{Rooms: []string{m.id, "room"}}); err != nil {
				t.Fatal(err)
			}
			a.LeaveAll(m)
			if i%3 == 0 {
				a.Forget(s.PID)
			} else {
				a.Save(nil, s)
			}
		}
		r := a.recovery
		a.mu.Lock()
		if len(r.of) != 0 || len(r.newest) != 0 || len(r.records) != 666 || r.log.length() != 1000 {
			t.Errorf("%d members, %d rooms, %d sessions, %d packets", len(r.of), len(r.newest), len(r.records), r.log.length())
		}
		a.mu.Unlock()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		a.mu.Lock()
		if len(r.records) != 0 || r.oldest != nil || r.latest != nil || r.log.length() != 0 || r.timer != nil {
			t.Errorf("%d sessions, %d packets, timer %v", len(r.records), r.log.length(), r.timer != nil)
		}
		a.mu.Unlock()
		a.Save(nil, adapters.Session{ID: "x", PID: "y"})
		if r.timer == nil {
			t.Error("no timer for a lost session")
		}
		if err := a.Close(t.Context()); err != nil {
			t.Error(err)
		}
		a.Save(nil, adapters.Session{ID: "x", PID: "y"})
		if len(r.records) != 0 || r.timer != nil {
			t.Error("a closed adapter keeps sessions")
		}
	})
}
