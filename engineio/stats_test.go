package engineio

import (
	"errors"
	"net/http"
	"reflect"
	"testing"
	"testing/synctest"
	"time"
)

// closures are all reasons, with these counts.
func closures(counts map[Reason]uint64) map[Reason]uint64 {
	all := map[Reason]uint64{}
	for _, r := range reasons {
		all[r] = counts[r]
	}
	return all
}

func (w *world) wantStats(why string, want Stats) {
	w.t.Helper()
	synctest.Wait()
	want.Closed = closures(want.Closed)
	if got := w.srv.Stats(); !reflect.DeepEqual(got, want) {
		w.t.Errorf("%s:\n got %+v\nwant %+v", why, got, want)
	}
}

func TestStats(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		w.wantStats("at first", Stats{})
		p, c := w.poller(), w.websocket()
		w.wantStats("one of each", Stats{Polling: 1, WebSocket: 1, OpenedPolling: 1, OpenedWebSocket: 1})
		up := p.switched()
		w.wantStats("an upgrade", Stats{WebSocket: 2, OpenedPolling: 1, OpenedWebSocket: 1, Upgraded: 1})
		c.send("1")
		w.wantStats("one has left", Stats{WebSocket: 1, OpenedPolling: 1, OpenedWebSocket: 1, Upgraded: 1,
			Closed: map[Reason]uint64{TransportClose: 1}})
		up.send("x")
		w.poller()
		w.pass(time.Hour)
		w.wantStats("all have left", Stats{OpenedPolling: 2, OpenedWebSocket: 1, Upgraded: 1,
			Closed: map[Reason]uint64{TransportClose: 1, ParseError: 1, PingTimeout: 1}})
		w.poller()
		w.h.session(3).Close(true)
		w.wantStats("closed from here", Stats{OpenedPolling: 3, OpenedWebSocket: 1, Upgraded: 1,
			Closed: map[Reason]uint64{TransportClose: 1, ParseError: 1, PingTimeout: 1, ForcedClose: 1}})
	})
}

// A probe that fails is no upgrade.
func TestStatsOfFailedProbe(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		w.poller().probe().send("4nothing")
		w.wantStats("it polls on", Stats{Polling: 1, OpenedPolling: 1})
	})
}

// Who was cut off because of a full queue is counted beside the reason, which tells
// nothing of it.
func TestStatsOfFullQueue(t *testing.T) {
	scenario(t, Config{Queue: Queue{Packets: 8}}, func(w *world) {
		w.poller()
		slow := w.websocket()
		slow.nc.Stall()
		for i := range 2 {
			var err error
			for err == nil {
				err = w.h.session(i).Send(0, Message{Data: make([]byte, 1<<20)})
			}
			if !errors.Is(err, ErrQueueFull) {
				t.Errorf("session %d: %v", i, err)
			}
		}
		w.wantStats("both", Stats{OpenedPolling: 1, OpenedWebSocket: 1, Closed: map[Reason]uint64{TransportError: 2}, QueueFull: 2})
	})
}

// Sessions that never came to be are not counted: refused ones, and one whose response
// a hook spoiled. One that ends within OnOpen is.
func TestStatsOfSessionsThatNeverWere(t *testing.T) {
	spoil := true
	cfg := Config{Limits: Limits{Connections: 1}, OnHeaders: func(http.Header, *http.Request) {
		if spoil {
			panic(http.ErrAbortHandler)
		}
	}}
	scenario(t, cfg, func(w *world) {
		p := w.start("GET", pollingQuery, "")
		<-p.done
		w.wantStats("spoiled", Stats{})
		spoil = false
		w.poller()
		if res := w.request("GET", pollingQuery, ""); res.status != http.StatusServiceUnavailable {
			t.Errorf("%+v", res)
		}
		w.wantStats("refused", Stats{Polling: 1, OpenedPolling: 1})
		w.h.session(0).Close(true)
		w.h.onOpen = func(s *Session) { s.Close(true) }
		w.request("GET", pollingQuery, "")
		w.wantStats("closed at once", Stats{OpenedPolling: 2, Closed: map[Reason]uint64{ForcedClose: 2}})
	})
}

// A client that knows its sid before it is told, because GenerateID can be foreseen,
// could upgrade a session of which the Handler had not heard: that was counted as an
// upgrade of one that polls, and polling went below zero for ever.
func TestStatsOfEarlyUpgrade(t *testing.T) {
	for name, spoil := range map[string]bool{"opened": false, "spoiled": true} {
		t.Run(name, func(t *testing.T) {
			var wait chan struct{}
			cfg := Config{
				GenerateID: func(*http.Request) (string, error) { return "foreseen", nil },
				OnHeaders: func(_ http.Header, r *http.Request) {
					if r.Header.Get("Upgrade") != "" {
						return
					}
					<-wait
					if spoil {
						panic(http.ErrAbortHandler)
					}
				},
			}
			scenario(t, cfg, func(w *world) {
				wait = make(chan struct{})
				first := w.start("GET", pollingQuery, "")
				synctest.Wait()
				c, _ := w.dialWS("EIO=4&transport=websocket&sid=foreseen")
				c.send("2probe")
				c.want("3probe", "the session is there")
				c.send("5")
				synctest.Wait()
				w.wantStats("nobody has heard of it", Stats{})
				close(wait)
				<-first.done
				if spoil {
					w.wantStats("nor will", Stats{})
					return
				}
				w.wantStats("opened", Stats{WebSocket: 1, OpenedWebSocket: 1})
				w.h.session(0).Close(true)
				w.wantStats("closed", Stats{OpenedWebSocket: 1, Closed: map[Reason]uint64{ForcedClose: 1}})
			})
		})
	}
}
