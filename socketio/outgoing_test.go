package socketio_test

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/parser"
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

// With recovery a broadcast that asks for acks was heard of before what was sent before
// it, if hooks were busy.
func TestOutgoingHooksHearOfQuestionsInOrder(t *testing.T) {
	runWebSocket(t, socketio.Config{Recovery: &socketio.Recovery{}}, func(r *rig) {
		var heard list[string]
		busy := make(chan struct{})
		r.srv.OnAnyOutgoing(func(_ *socketio.Socket, e *socketio.Event) {
			if e.Name() == "first" {
				<-busy
			}
			heard.add(e.Name())
		})
		p := r.joinAny()
		var all sync.WaitGroup
		all.Go(func() { must(r.T, r.srv.Emit("first")) })
		synctest.Wait()
		must(r.T, r.srv.Emit("second"))
		all.Go(func() {
			if got, err := r.srv.In(p.sid).EmitWithAck(r.Context(), "question"); err != nil || len(got) != 1 {
				r.Errorf("%v, %v", got, err)
			}
		})
		synctest.Wait()
		close(busy)
		p.wantMatch(`^42\["first"`, "")
		p.wantMatch(`^42\["second"`, "")
		id, _, _ := strings.Cut(string(p.wantMatch(`^42[0-9]+\["question"`, ""))[2:], "[")
		p.send("43" + id + "[]")
		all.Wait()
		synctest.Wait()
		if got := heard.all(); !slices.Equal(got, []string{"first", "second", "question"}) {
			r.Errorf("heard of in the order %q", got)
		}
	})
}

// brokenParser cannot encode events.
type brokenParser struct{ parser.Parser }

func (b brokenParser) AppendPacket(to []byte, p *parser.Packet) ([]byte, bool, [][]byte) {
	if p.Type == parser.Event {
		panic("broken")
	}
	return b.Parser.AppendPacket(to, p)
}

// A parser that panics left the goroutine of the hooks behind, at each broadcast.
func TestOutgoingHooksAndABrokenParser(t *testing.T) {
	runWebSocket(t, socketio.Config{Parser: brokenParser{parser.Default()}}, func(r *rig) {
		r.srv.OnAnyOutgoing(func(*socketio.Socket, *socketio.Event) {})
		r.joinAny()
		const broadcasts = 100
		before := runtime.NumGoroutine()
		for range broadcasts {
			func() {
				defer func() {
					if recover() == nil {
						r.Error("no panic")
					}
				}()
				_ = r.srv.Emit("news")
			}()
		}
		synctest.Wait()
		if n := runtime.NumGoroutine(); n >= before+broadcasts/2 { // the runtime has some of its own
			r.Errorf("%d goroutines, %d before", n, before)
		}
	})
}

// What several goroutines emit in a middleware is heard of in the order in which the
// client gets it.
func TestOutgoingHooksHearEarlyEmitsInOrder(t *testing.T) {
	runWebSocket(t, socketio.Config{Recovery: &socketio.Recovery{}}, func(r *rig) {
		const goroutines, emits = 8, 200
		var heard list[string]
		r.srv.OnAnyOutgoing(func(_ *socketio.Socket, e *socketio.Event) { heard.add(e.Name()) })
		r.srv.Use(func(_ context.Context, s *socketio.Socket) error {
			var all sync.WaitGroup
			for g := range goroutines {
				all.Go(func() {
					for i := range emits {
						_ = s.Emit(fmt.Sprint("e", g, " ", i))
					}
				})
			}
			all.Wait()
			return nil
		})
		p := r.open()
		p.send("40")
		var sent []string
		for range goroutines * emits {
			got := p.wantMatch(`^42\["e[0-9 ]*"`, "what was sent")
			sent = append(sent, strings.Split(string(got), `"`)[1])
		}
		p.wantMatch(`^40`, "")
		synctest.Wait()
		if got := heard.all(); !slices.Equal(got, sent) {
			i := 0
			for i < len(got) && got[i] == sent[i] {
				i++
			}
			r.Errorf("%d were heard of, another one was the %dth", len(got), i)
		}
	})
}
