package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hermod-io/hermod/adapters"
)

// recoveryCases are what a Recoverer must pass. For another adapter they do
// nothing, but for the one about recovery that is off.
func recoveryCases() []testCase {
	var all []testCase
	hasty := policy
	hasty.MaxDisconnection = 2 * time.Second
	for name, body := range map[string]func(c *restorer){
		"RecoveryOffsets":            offsets,
		"RecoveryRestores":           restores,
		"RecoveryWithoutOffset":      withoutOffset,
		"RecoveryByRoomsOfTheTime":   byRooms,
		"RecoveryConsumes":           consumes,
		"RecoverySupersedes":         supersedes,
		"RecoveryForgets":            forgets,
		"RecoverySavesAgain":         savesAgain,
		"RecoveryExpires":            expires,
		"RecoveryRefusesOffsets":     refusesOffsets,
		"RecoveryRefusesTooMuch":     refusesTooMuch,
		"RecoveryNeitherGapNorTwice": neitherGapNorTwice,
	} {
		tc := testCase{name: name, recovery: policy, body: func(c *cluster) {
			if r := newRestorer(c); r != nil {
				body(r)
			}
		}}
		if name == "RecoveryExpires" {
			tc.recovery = hasty
		}
		all = append(all, tc)
	}
	slices.SortFunc(all, func(a, b testCase) int { return strings.Compare(a.name, b.name) })
	return append(all, testCase{name: "RecoveryOff", body: recoveryOff})
}

// policy is what the cases about recovery run with.
var policy = adapters.Recovery{
	On: true, MaxDisconnection: 20 * time.Second, Retention: 40 * time.Second,
	LogBytes: 64 << 20, BacklogPackets: 4096, BacklogBytes: 4 << 20,
}

// offsets: which packets have one, and that they differ.
func offsets(r *restorer) {
	m, _ := r.connect(0, "a")
	position := r.nodes[0].Position()
	var want []string
	for _, t := range []adapters.Target{{}, {Rooms: []string{"a"}}, {Rooms: []string{m.id}}, {Flags: adapters.Flags{Volatile: true}}} {
		want = append(want, r.emit(0, t))
	}
	got := r.heard(m, len(want))
	if plain := without(got); !slices.Equal(plain, want) {
		r.t.Fatalf("got %q, want %q with offsets", got, want)
	}
	seen := map[string]bool{position: true}
	for _, e := range got[:3] {
		if seen[r.offsetOf(e)] {
			r.t.Errorf("%s has the offset of an earlier packet", e)
		}
		seen[r.offsetOf(e)] = true
	}
	r.locals[0].answerAtOnce(func(m *member, answer func(string)) { answer(`[1]`) })
	if _, err := r.ask(0, adapters.Target{Rooms: []string{"a"}, Flags: adapters.Flags{Timeout: patience}}); err != nil {
		r.t.Errorf("BroadcastAck: %v", err)
	}
	if e := r.heard(m, len(want)+1)[len(want)]; offsetPattern.MatchString(e) {
		r.t.Errorf("%s asks for an ack, and has an offset", e)
	}
}

// restores: id, rooms, data and what was missed, on any node; then it goes on.
func restores(r *restorer) {
	m, s := r.connect(0, "a", "b")
	first := r.emit(0, adapters.Target{})
	event := r.heard(m, 1)[0]
	want := []string{r.emit(0, adapters.Target{Rooms: []string{"a"}})} // sent, but lost on the way
	r.heard(m, 2)
	r.lose(m, s)
	r.emit(0, adapters.Target{Rooms: []string{"other"}})
	r.emit(0, adapters.Target{Except: []string{"b"}})
	r.emit(0, adapters.Target{Flags: adapters.Flags{Volatile: true}})
	for i, t := range []adapters.Target{{Rooms: []string{"other", "b"}}, {}, {Rooms: []string{m.id}}} {
		want = append(want, r.emit(i, t))
		r.settle()
	}
	r.settle()
	got := r.restore(r.ctx, 1, s.PID, r.offsetOf(event))
	r.wantMissed(got, "after "+first, want...)
	rooms := got.session.Rooms
	slices.Sort(rooms)
	if got.session.ID != m.id || got.session.PID != s.PID || !slices.Equal(visible(rooms), []string{"a", "b"}) {
		r.t.Errorf("session %+v", got.session)
	}
	data := got.session.Data
	if data == nil && got.session.Values != nil {
		data, _ = got.session.Values.MarshalJSON()
	}
	if string(data) != `{"n":1}` {
		r.t.Errorf("data %s", data)
	}
	r.wantRoomsOf(got.m, "it is in its rooms again", "a", "b")
	r.wantRooms("nobody else is", "a", "b")
	last := r.emit(0, adapters.Target{Rooms: []string{"a"}})
	if live := r.heard(got.m, 1); without(live)[0] != last {
		r.t.Errorf("got %q, want %s", live, last)
	}
}

// withoutOffset: all since the session was saved.
func withoutOffset(r *restorer) {
	r.emit(0, adapters.Target{})
	r.settle()
	m, s := r.connect(0)
	want := []string{r.emit(0, adapters.Target{})}
	r.heard(m, 1)
	r.lose(m, s)
	want = append(want, r.emit(0, adapters.Target{}))
	got := r.restore(r.ctx, 0, s.PID, "")
	r.wantMissed(got, "without an offset", want...)
	r.lose(got.m, got.session)
	r.wantMissed(r.restore(r.ctx, 0, s.PID, ""), "it still has none", want...)
}

// byRooms: a packet counts when the socket was in the room at its time.
func byRooms(r *restorer) {
	m, s := r.connect(0)
	in := func(room string) adapters.Target { return adapters.Target{Rooms: []string{room}} }
	r.emit(0, in("a"))
	r.settle()
	r.join(m, "a")
	want := []string{r.emit(0, in("a"))}
	r.heard(m, 1)
	r.leave(m, "a")
	r.emit(0, in("a"))
	r.socketsJoin(0, adapters.Target{Rooms: []string{m.id}}, "b")
	r.wantRoomsSoon(m, "moved", "b")
	want = append(want, r.emit(0, in("b")))
	r.heard(m, 2)
	r.lose(m, s)
	r.emit(0, in("a"))
	want = append(want, r.emit(0, in("b")))
	r.wantMissed(r.restore(r.ctx, 0, s.PID, ""), "by the rooms of the time", want...)
}

// consumes: of many that ask for one session, one has it.
func consumes(r *restorer) {
	for round := range 20 {
		m, s := r.connect(round)
		r.lose(m, s)
		var wg sync.WaitGroup
		results := make([]restoration, 4)
		ctx, cancel := context.WithCancel(r.ctx)
		for i := range results {
			wg.Go(func() {
				if results[i] = r.restore(ctx, i, s.PID, ""); results[i].err == nil {
					time.AfterFunc(short, cancel) // the others wait for a socket that stays
				}
			})
		}
		wg.Wait()
		cancel()
		var has []*member
		for _, got := range results {
			if got.err == nil {
				has = append(has, got.m)
			}
		}
		if len(has) != 1 {
			r.t.Fatalf("round %d: %d sockets have the session, want 1", round, len(has))
		}
		r.lose(has[0], s)
		if got := r.restore(r.ctx, round, s.PID, ""); got.err != nil {
			r.t.Fatalf("round %d: saved again, but: %v", round, got.err)
		}
	}
}

// supersedes: a socket that has the session is ended first, and its last Save
// awaited, as long as ctx lasts.
func supersedes(r *restorer) {
	m, s := r.connect(0, "a")
	want := r.emit(0, adapters.Target{Rooms: []string{"a"}})
	r.heard(m, 1)
	asked := make(chan struct{})
	m.onSupersede = sync.OnceFunc(func() { close(asked) })
	ctx, cancel := context.WithTimeout(r.ctx, short)
	defer cancel()
	if got := r.restore(ctx, 1, s.PID, ""); !errors.Is(got.err, context.DeadlineExceeded) {
		r.t.Fatalf("Restore: %v, want %v: the socket does not end", got.err, context.DeadlineExceeded)
	}
	<-asked
	m.onSupersede = sync.OnceFunc(func() {
		go func() {
			s.Values = values{"n": 2}
			r.lose(m, s)
		}()
	})
	got := r.restore(r.ctx, 1, s.PID, "")
	r.wantMissed(got, "the socket has ended", want)
	if v, ok := got.session.Values.(values); ok && v["n"] != 2 || !ok && string(got.session.Data) != `{"n":2}` {
		r.t.Errorf("data of the last save: %+v", got.session)
	}
	r.lose(got.m, s)
	dead, end := context.WithCancel(r.ctx)
	end()
	if got := r.restore(dead, 0, s.PID, ""); !errors.Is(got.err, context.Canceled) {
		r.t.Fatalf("Restore: %v, want %v: who asks is gone", got.err, context.Canceled)
	}
	if got := r.restore(r.ctx, 0, s.PID, ""); got.err != nil {
		r.t.Fatalf("who was gone has consumed the session: %v", got.err)
	}
	if n := len(r.expirations()); n != 0 {
		r.t.Errorf("%d sessions expired", n)
	}
}

// forgets: a session that was ended on purpose.
func forgets(r *restorer) {
	m, s := r.connect(0)
	r.nodes[0].LeaveAll(m)
	r.nodes[0].Forget(s.PID)
	r.nodes[0].Forget(s.PID)
	r.wantRefused(r.restore(r.ctx, 1, s.PID, ""), "forgotten", 0)
	m, s = r.connect(0)
	r.lose(m, s)
	r.nodes[0].Forget(s.PID)
	r.wantRefused(r.restore(r.ctx, 1, s.PID, ""), "forgotten after it was lost", 0)
	r.wantRefused(r.restore(r.ctx, 0, "pid-of-nobody", ""), "unknown", 0)
}

// savesAgain: a session is what was saved last.
func savesAgain(r *restorer) {
	m, s := r.connect(0)
	s.Values = values{"n": 2}
	r.nodes[0].Save(m, s)
	s.Values = values{"n": 3}
	r.lose(m, s)
	got := r.restore(r.ctx, 0, s.PID, "")
	r.wantMissed(got, "nothing was sent")
	if v, ok := got.session.Values.(values); ok && v["n"] != 3 || !ok && string(got.session.Data) != `{"n":3}` {
		r.t.Errorf("data %+v, want those saved last", got.session)
	}
}

// expires: after MaxDisconnection a session is reported, once.
func expires(r *restorer) {
	m, s := r.connect(0, "a")
	r.lose(m, s)
	kept, keptSession := r.connect(0)
	r.news.await(r.t, func() bool { return len(r.expirations()) > 0 }, "the session expires")
	if e := r.expirations()[0]; e.ID != s.ID || e.PID != s.PID || !slices.Equal(visible(e.Rooms), []string{"a"}) {
		r.t.Errorf("expired %+v", e)
	}
	r.wantRefused(r.restore(r.ctx, 0, s.PID, ""), "expired", 1)
	r.lose(kept, keptSession) // it lived for longer than that, and is kept
	r.wantMissed(r.restore(r.ctx, 0, keptSession.PID, ""), "it was lost just now")
}

// refusesOffsets: what cannot be an offset ends the session.
func refusesOffsets(r *restorer) {
	for i, bad := range []string{"x", "-", "1", strings.Repeat("-", 40), "\x00", `"]`} {
		m, s := r.connect(0)
		event := r.emit(0, adapters.Target{})
		r.heard(m, 1)
		r.lose(m, s)
		r.wantRefused(r.restore(r.ctx, 0, s.PID, bad), fmt.Sprintf("offset %q after %s", bad, event), i+1)
		r.wantRefused(r.restore(r.ctx, 0, s.PID, ""), "and it is gone", i+1)
	}
}

// refusesTooMuch: a session that missed more than the backlog, or what is not
// kept any more.
func refusesTooMuch(r *restorer) {
	m, s := r.connect(0)
	r.lose(m, s)
	for range policy.BacklogPackets + 1 {
		r.emit(0, adapters.Target{})
	}
	r.settle()
	r.wantRefused(r.restore(r.ctx, 0, s.PID, ""), "more than the backlog", 1)
	m, s = r.connect(0)
	r.lose(m, s)
	fitting := policy.BacklogPackets - 2*len(r.nodes) // fences count as well
	for range fitting {
		r.emit(0, adapters.Target{})
	}
	r.settle()
	if got := r.restore(r.ctx, 0, s.PID, ""); len(got.missed) != fitting {
		r.t.Errorf("missed %d, error %v", len(got.missed), got.err)
	}
}

// neitherGapNorTwice: a session is lost and restored again and again while
// several nodes and goroutines broadcast; each packet comes once, in order.
func neitherGapNorTwice(r *restorer) {
	const rounds, each = 40, 400
	m, s := r.connect(0, "a")
	var senders sync.WaitGroup
	sent := make([][]string, len(r.nodes)+1)
	for i := range sent {
		senders.Go(func() {
			for range each {
				sent[i] = append(sent[i], r.emit(i, adapters.Target{Rooms: []string{"a"}}))
			}
		})
	}
	var got []string
	offset := ""
	for round := range rounds {
		events := m.deliveries()
		upTo := len(events) * (round % 4) / 3 // the client has all, a part, or nothing of it
		r.lose(m, s)
		for _, d := range events[:min(upTo, len(events))] {
			got = append(got, d.event)
		}
		if len(got) > 0 {
			offset = r.offsetOf(got[len(got)-1])
		}
		back := r.restore(r.ctx, round, s.PID, offset)
		if back.err != nil {
			r.t.Fatalf("round %d: %v", round, back.err)
		}
		if got, m = append(got, back.missed...), back.m; len(got) > 0 {
			offset = r.offsetOf(got[len(got)-1])
		}
	}
	senders.Wait()
	all := len(sent) * each
	r.news.await(r.t, func() bool { return len(got)+len(m.deliveries()) >= all }, "all %d packets", all)
	for _, d := range m.deliveries() {
		got = append(got, d.event)
	}
	plain := without(got)
	if len(plain) != all {
		r.t.Fatalf("%d packets, want %d", len(plain), all)
	}
	at := make(map[string]int, all)
	for i, e := range plain {
		at[e] = i
	}
	for i, list := range sent {
		for k := 1; k < len(list); k++ {
			if at[list[k]] <= at[list[k-1]] {
				r.t.Fatalf("sender %d: %s is not behind %s", i, list[k], list[k-1])
			}
		}
	}
	if len(at) != all {
		r.t.Errorf("%d packets came twice", all-len(at))
	}
}

// recoveryOff: without the policy packets are as they were, and nothing is kept.
func recoveryOff(c *cluster) {
	m := c.add(0)
	c.wantGot(c.emit(0, adapters.Target{}), "no offset", []*member{m}, m)
	rec, ok := c.nodes[0].(adapters.Recoverer)
	if !ok {
		return
	}
	rec.Save(nil, adapters.Session{ID: "x", PID: "y"})
	rec.Forget("z")
	if _, err := rec.Restore(c.ctx, "y", "", func(adapters.Session) adapters.Member { return m }); !errors.Is(err, adapters.ErrNoSession) {
		c.t.Errorf("Restore: %v", err)
	}
}
