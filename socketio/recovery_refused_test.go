package socketio_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio"
)

// refusals are what a client may do until it comes back, and is a new one.
var refusals = map[string]struct {
	cfg     socketio.Config
	away    func(r *rig, g *guest)
	expired int // sessions that are reported
}{
	"unknown pid":          {recovering, func(r *rig, g *guest) { g.pid = strings.Repeat("x", 20) }, 0},
	"expired":              {recovering, func(r *rig, g *guest) { pass(2*time.Minute + time.Second) }, 1},
	"malformed offset":     {recovering, func(r *rig, g *guest) { g.offset = "text" }, 1},
	"number of an offset":  {recovering, func(r *rig, g *guest) { g.offset += "0x" }, 1},
	"offset of the future": {recovering, func(r *rig, g *guest) { g.offset += "99" }, 1},
	"beyond the log": {socketio.Config{Recovery: &socketio.Recovery{Bytes: 4 << 10}}, func(r *rig, g *guest) {
		for range 15 {
			must(r.T, r.srv.Emit("large", strings.Repeat("x", 500)))
		}
	}, 1},
	"more than the queue takes": {shortQueue(20), func(r *rig, g *guest) {
		for range 21 {
			must(r.T, r.srv.Emit("x"))
		}
	}, 1},
}

func shortQueue(packets int) socketio.Config {
	cfg := recovering
	cfg.Engine.Queue.Packets = packets
	return cfg
}

// TestRecoveryRefused: without a word the client is a new one, with a new id
// and pid.
//
// compat: 5.7.10
// compat: option connectionStateRecovery.maxDisconnectionDuration
func TestRecoveryRefused(t *testing.T) {
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			run(t, quick(c.cfg), func(r *rig) {
				var expired list[adapters.Session]
				r.srv.OnSessionExpired(func(s adapters.Session) { expired.add(s) })
				g := r.comeBack(nil)
				must(r.T, r.srv.Emit("a"))
				g.hear("an event", `["a"]`)
				g.socket().Data().Set("k", 1)
				id, pid := g.id, g.pid
				g.lose()
				c.away(r, g)
				r.comeBack(g)
				if g.recovered || g.id == id || g.pid == pid || g.socket().Recovered() || len(g.socket().Rooms()) != 1 {
					r.Errorf("recovered %v, id %s was %s", g.recovered, g.id, id)
				}
				g.wantGot("nothing was missed by a new client")
				r.eventually("the report", func() bool { return len(expired.all()) == c.expired })
				for _, s := range expired.all() {
					if s.ID != id || s.PID != pid || string(s.Data) != `{"k":1}` || !slices.Equal(s.Rooms, []string{id}) {
						r.Errorf("reported %+v", s)
					}
				}
			})
		})
	}
}

// TestRecoveryOfAQuietClient: a client that is in rooms of which little is heard
// misses nothing when the log has long lost its last event.
func TestRecoveryOfAQuietClient(t *testing.T) {
	cfg := quick(socketio.Config{Recovery: &socketio.Recovery{Bytes: 8 << 10}})
	run(t, cfg, func(r *rig) {
		g := r.comeBack(nil)
		must(r.T, g.socket().Join(r.Context(), "quiet"), r.srv.To("quiet").Emit("a"))
		g.hear("an event", `["a"]`)
		flood := func() {
			for range 100 {
				must(r.T, r.srv.To("loud").Emit("x", strings.Repeat("x", 200)))
			}
		}
		for _, event := range []string{"b", "c"} {
			flood()
			g.lose()
			must(r.T, r.srv.To("quiet").Emit(event))
			r.comeBack(g)
			g.wantGot("the one that it missed", fmt.Sprintf("[%q]", event))
		}
		flood()
		must(r.T, r.srv.To("quiet").Emit("d"))
		flood() // before the loss: d may be lost as well
		g.lose()
		if r.comeBack(g); g.recovered {
			r.Error("d is neither there nor known to have arrived")
		}
	})
}

// TestRecoverableReasons: which ends a client may come back from.
func TestRecoverableReasons(t *testing.T) {
	for name, c := range map[string]struct {
		end       func(r *rig, g *guest)
		recovered bool
		reason    socketio.Reason
	}{
		"client leaves":      {func(r *rig, g *guest) { g.send("41") }, false, socketio.ClientNamespaceDisconnect},
		"server disconnects": {func(r *rig, g *guest) { g.socket().Disconnect(false) }, false, socketio.ServerNamespaceDisconnect},
		"server closes":      {func(r *rig, g *guest) { g.socket().Disconnect(true) }, false, socketio.ServerNamespaceDisconnect},
		"OnConnect fails":    {func(r *rig, g *guest) { g.send(`42["fail"]`) }, true, socketio.ForcedClose},
		"engine closes":      {func(r *rig, g *guest) { g.socket().Session().Close(true) }, true, socketio.ForcedClose},
		"ping timeout":       {func(r *rig, g *guest) { pass(5 * time.Second) }, true, socketio.PingTimeout},
		"bad packet":         {func(r *rig, g *guest) { g.send("42[") }, true, socketio.ForcedClose},
		"bad engine packet":  {func(r *rig, g *guest) { g.send("9") }, false, socketio.ParseError},
		"transport close":    {func(r *rig, g *guest) { g.hangUp() }, true, socketio.TransportClose},
	} {
		t.Run(name, func(t *testing.T) {
			runWebSocket(t, quick(recovering), func(r *rig) {
				var reasons list[socketio.Reason]
				r.srv.OnDisconnect(func(s *socketio.Socket, reason socketio.Reason) { reasons.add(reason) })
				r.srv.On("fail", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
					s.Session().Close(true)
					return nil
				})
				var expired list[string]
				r.srv.OnSessionExpired(func(s adapters.Session) { expired.add(s.ID) })
				g := r.comeBack(nil)
				c.end(r, g)
				r.eventually("the end", func() bool { return len(reasons.all()) == 1 })
				if got := reasons.all()[0]; got != c.reason {
					r.Errorf("reason %q, want %q", got, c.reason)
				}
				if r.comeBack(g); g.recovered != c.recovered {
					r.Errorf("recovered %v", g.recovered)
				}
				pass(5 * time.Minute)
				if n := len(expired.all()); n > 1 { // of the one that came back
					r.Errorf("%d sessions expired", n)
				}
			})
		})
	}
}

// The reply to CONNECT once came in another polling answer than what the client had
// missed: when the connection ended between the two, an official client kept the
// events, did not take their offsets, and was given them a second time.
func TestMissedWithReply(t *testing.T) {
	const missed = 3000
	bubble(t, "polling", recovering, func(r *rig) {
		g := r.comeBack(nil)
		synctest.Wait() // the next GET waits
		g.lose()
		for i := range missed {
			must(r.T, r.srv.Emit("n", i))
		}
		p := r.quietPolling()
		answer := make(chan []message)
		go func() { answer <- p.poll() }() // ends with the bubble
		synctest.Wait()
		p.send("40" + g.auth())
		got := <-answer
		if reply := got[len(got)-1]; len(got) != missed+1 || !connectReply.MatchString(string(reply)) {
			r.Errorf("%d packets, the last is %s; want %d events and the reply", len(got), cut(reply), missed)
		}
	})
}
