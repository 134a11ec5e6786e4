package cluster_test

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/engineio"
)

// newSlowBody is a request's body that comes when more is called; "" is its end.
func newSlowBody() (io.Reader, func(string)) {
	r, w := io.Pipe()
	return r, func(s string) {
		if s == "" {
			_ = w.Close()
			return
		}
		_, _ = io.WriteString(w, s)
	}
}

// A node dies without a word: requests on their way end, and soon all for its
// sessions are refused, without a message.
func TestRouterOwnerKilled(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		query := f.nodes[0].open(polling4)
		waiting := f.nodes[1].begin(f.Context(), query)
		s := f.upgraded2(f.nodes[0], f.nodes[2])
		f.nodes[0].mail.cut.Store(true)
		at := time.Now()
		f.wantReply(<-waiting, 400, unknownSID, "the request that waited")
		if _, err := s.next(); err == nil {
			f.Error("the websocket goes on")
		}
		if d := time.Since(at); d > 6*time.Second {
			f.Errorf("it took %v", d)
		}
		synctest.Wait()
		before := f.sent()
		for _, n := range f.nodes[1:] {
			f.wantReply(n.get(query), 400, unknownSID, "its node is dead")
		}
		if got := f.sent() - before; got != 0 {
			f.Errorf("%d messages", got)
		}
	})
}

// upgraded2 is upgraded for a node that has a session already.
func (f *fleet) upgraded2(owner, landed *fleetNode) *sock {
	owner.log.mu.Lock()
	owner.log.lines = nil
	owner.log.mu.Unlock()
	return f.upgraded(owner, landed)
}

// An answer was handed to a node that died, or was lost between the nodes: the
// session ends, so that the client knows; it never goes on without it.
func TestRouterLostAnswer(t *testing.T) {
	for name, strike := range map[string]func(owner, relay *fleetNode){
		"relay killed":    func(_, relay *fleetNode) { relay.mail.cut.Store(true) },
		"answer lost":     func(owner, _ *fleetNode) { owner.mail.lose.Store(1) },
		"relay mute":      func(_, relay *fleetNode) { relay.mail.mute.Store(true) },
		"mail refuses":    func(owner, _ *fleetNode) { owner.mail.fails.Store(true) },
		"confirming lost": func(_, relay *fleetNode) { relay.mail.lose.Store(1) },
	} {
		t.Run(name, func(t *testing.T) {
			sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
				owner, relay := f.nodes[0], f.nodes[1]
				query := owner.open(polling4)
				waiting := relay.begin(f.Context(), query)
				strike(owner, relay)
				at := time.Now()
				_ = owner.log.last().Send(0, engineio.Message{Data: []byte("precious")})
				synctest.Wait()
				_ = owner.log.last().Send(0, engineio.Message{Data: []byte("more")})
				r := f.nodes[2].get(query)                 // whatever the client does now
				if r.body != unknownSID && r.body != "1" { // refused, or a close packet
					f.Errorf("another request: %+v", r)
				}
				<-owner.log.last().Done()
				if d := time.Since(at); d > 7*time.Second {
					f.Errorf("it took %v", d)
				}
				owner.wantLog("the answer", "open", "close: transport error")
				<-waiting
				for _, n := range f.nodes {
					n.mail.fails.Store(false)
				}
			})
		})
	}
}

// A request that was lost on its way is refused in time.
func TestRouterLostRequest(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		query := f.nodes[0].open(polling4)
		f.nodes[1].mail.lose.Store(1)
		at := time.Now()
		f.wantReply(f.nodes[1].post(query, "4x"), 400, unknownSID, "lost")
		if d := time.Since(at); d > 3*time.Second {
			f.Errorf("it took %v", d)
		}
		f.wantReply(f.nodes[1].post(query, "4y"), 200, "ok", "the next one")
		f.wantReply(f.nodes[0].get(query), 200, "4y", "its echo")
		if s := f.nodes[0].router.Stats(); s.Gaps != 1 {
			f.Errorf("%+v", s)
		}
	})
}

// A node that was cut off for a while comes back.
func TestRouterComesBack(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		query := f.nodes[0].open(polling4)
		f.wantReply(f.nodes[1].post(query, "4x"), 200, "ok", "before")
		f.nodes[0].mail.cut.Store(true)
		time.Sleep(10 * time.Second)
		f.wantReply(f.nodes[1].get(query), 400, unknownSID, "meanwhile")
		f.nodes[0].mail.cut.Store(false)
		time.Sleep(5 * time.Second)
		f.wantReply(f.nodes[1].get(query), 200, "4x", "after")
		f.wantReply(f.nodes[2].post(query, "4x"), 200, "ok", "another node")
		f.nodes[0].wantLog("the session", "open")
	})
}

// A node that closes says so: requests end at once.
func TestRouterClose(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		query := f.nodes[0].open(polling4)
		waiting := f.nodes[1].begin(f.Context(), query)
		other := f.nodes[2].begin(f.Context(), f.nodes[1].open(polling4))
		at := time.Now()
		f.nodes[0].sink()
		r := <-waiting
		if r.status != 200 || r.body != "1" {
			f.Errorf("the request that waited: %+v", r)
		}
		f.nodes[1].wantLog("one of its own", "open")
		f.nodes[2].sink()
		if r := <-other; r.err == nil && r.status == http.StatusOK {
			f.Errorf("the other one: %+v", r)
		}
		if d := time.Since(at); d > time.Second {
			f.Errorf("it took %v", d)
		}
		f.nodes[1].wantLog("its client's node is gone", "close: transport error")
	})
}
