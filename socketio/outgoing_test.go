package socketio_test

import (
	"fmt"
	"regexp"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/socketio"
)

// created is how many goroutines there have been.
func created() uint64 {
	s := []metrics.Sample{{Name: "/sched/goroutines-created:goroutines"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// joinAny joins the main namespace, with recovery or without.
func (r *rig) joinAny() *peer {
	r.Helper()
	p := r.open()
	p.send("40")
	got := p.wantMatch(`^40\{"sid":"[A-Za-z0-9_-]{20}"`, "the reply to CONNECT")
	p.sid = string(got[10:30])
	return p
}

// A broadcast that hooks of outgoing events hear of started a goroutine for each
// member of the room.
func TestOutgoingHooksShareAGoroutine(t *testing.T) {
	for name, cfg := range map[string]socketio.Config{"plain": {}, "recovery": {Recovery: &socketio.Recovery{}}} {
		t.Run(name, func(t *testing.T) {
			runWebSocket(t, cfg, func(r *rig) {
				const members = 300
				var seen list[string]
				r.srv.OnAnyOutgoing(func(s *socketio.Socket, e *socketio.Event) { seen.add(s.ID()) })
				for range members {
					r.joinAny()
				}
				before := created()
				must(r.T, r.srv.Emit("news"))
				if n := created() - before; n > members/2 {
					r.Errorf("%d goroutines were started", n)
				}
				for _, p := range r.peers {
					p.wantMatch(`^42\["news"`, "the broadcast")
				}
				if n := len(seen.all()); n != members {
					r.Errorf("the hook has heard of %d", n)
				}
			})
		})
	}
}

// With recovery, where hooks hear of an event once it is queued, one that emitted was
// called for that before it was for what was queued before.
func TestOutgoingHooksHearInOrder(t *testing.T) {
	run(t, socketio.Config{Recovery: &socketio.Recovery{}}, func(r *rig) {
		var heard list[string]
		r.srv.OnAnyOutgoing(func(s *socketio.Socket, e *socketio.Event) {
			heard.add(s.ID() + " " + e.Name())
			if !strings.HasPrefix(e.Name(), "echo") {
				for _, p := range r.peers {
					_ = p.socket().Emit("echo " + e.Name())
				}
			}
		})
		for range 3 {
			r.joinAny()
		}
		const emits = 4
		for i := range emits {
			must(r.T, r.srv.Emit(fmt.Sprint("news ", i)))
		}
		for _, p := range r.peers {
			var sent []string
			for range emits * (1 + len(r.peers)) {
				got := p.wantMatch(`^42\["([a-z0-9 ]*)"`, "what was sent")
				sent = append(sent, p.sid+" "+regexp.MustCompile(`"(.*?)"`).FindStringSubmatch(string(got))[1])
			}
			mine := slices.DeleteFunc(heard.all(), func(s string) bool { return !strings.HasPrefix(s, p.sid) })
			if !slices.Equal(mine, sent) {
				r.Errorf("the hook heard\n%q, what was sent is\n%q", mine, sent)
			}
		}
	})
}
