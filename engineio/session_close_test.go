package engineio

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// dying is a session in one of its states, before its end.
type dying struct {
	w     *world
	s     *Session
	p     *poller // nil: it began over WebSocket
	eio   int
	jsonp bool
	get   *pending
	ws    *wsClient
	moved bool // ws is the transport
}

// say sends a packet over the transport.
func (e *dying) say(packet string) {
	switch {
	case e.moved:
		e.ws.send(packet)
	default:
		body := packet
		if e.eio == 3 {
			body = fmt.Sprintf("%d:%s", len(packet), packet)
		}
		if e.jsonp {
			body = "d=" + url.QueryEscape(body)
		}
		e.w.start("POST", e.p.query(), body)
	}
	synctest.Wait()
}

// cut ends what connections there are.
func (e *dying) cut() {
	if e.get != nil && !e.moved {
		e.get.abort()
	}
	if e.ws != nil {
		_ = e.ws.nc.Abort()
	}
}

var dyingStates = map[string]func(e *dying){
	"no GET":    func(*dying) {},
	"a GET":     func(e *dying) { e.get = e.p.begin() },
	"connected": func(e *dying) { e.get = e.p.begin(); e.connect() },
	"probed":    func(e *dying) { e.connect(); e.ws.send("2probe"); e.ws.want("3probe", "it is answered") },
	"upgraded": func(e *dying) {
		e.connect()
		e.ws.send("2probe", "5")
		e.ws.want("3probe", "it is answered")
		e.moved = true
	},
	"no polling": nil,
}

func (e *dying) connect() {
	e.ws, _ = e.w.dialWS(fmt.Sprintf("EIO=%d&transport=websocket&sid=%s", e.eio, e.p.sid))
}

// dyingCauses are what ends a session, and the reasons that may come of it.
var dyingCauses = map[string]struct {
	f    func(e *dying)
	want []Reason
}{
	"close packet":  {func(e *dying) { e.say("1") }, []Reason{TransportClose}},
	"no packet":     {func(e *dying) { e.say("9") }, []Reason{ParseError}},
	"heartbeat":     {func(e *dying) { e.say(map[int]string{4: "2", 3: "3"}[e.eio]) }, []Reason{TransportError}},
	"cut":           {func(e *dying) { e.cut() }, []Reason{TransportClose, TransportError, PingTimeout}},
	"silence":       {func(*dying) {}, []Reason{PingTimeout}},
	"Close":         {func(e *dying) { e.s.Close(false) }, []Reason{ForcedClose, PingTimeout}},
	"Close at once": {func(e *dying) { e.s.Close(true) }, []Reason{ForcedClose}},
	"Close, cut":    {func(e *dying) { e.s.Close(false); e.cut() }, []Reason{ForcedClose, TransportError, PingTimeout}},
	"panic":         {func(e *dying) { e.say("4panic") }, []Reason{TransportError}},
	"queue full": {func(e *dying) {
		for e.s.Send(0, Message{Data: make([]byte, 1<<20)}) == nil {
			synctest.Wait()
		}
	}, []Reason{TransportError}},
}

// Every cause ends a session in every state, once, and nothing of it stays.
func TestEnds(t *testing.T) {
	for _, kind := range []string{"EIO=4", "EIO=3", "EIO=4&j=0", "EIO=3&j=0"} {
		for state, prepare := range dyingStates {
			if prepare == nil && strings.Contains(kind, "j") {
				continue
			}
			for cause, c := range dyingCauses {
				t.Run(kind+", "+state+", "+cause, func(t *testing.T) {
					cfg := quick
					cfg.AllowEIO3, cfg.Limits = true, Limits{PerIP: 1}
					scenario(t, cfg, func(w *world) { w.ends(kind, prepare, c.f, c.want) })
				})
			}
		}
	}
}

func (w *world) ends(kind string, prepare, cause func(*dying), want []Reason) {
	w.h.onMessage = func(*Session, bool, []byte) { panic("as it should") }
	e := &dying{w: w, eio: 4, jsonp: strings.Contains(kind, "j")}
	if strings.Contains(kind, "3") {
		e.eio = 3
	}
	if prepare == nil {
		e.ws, _ = w.dialWS(kind + "&transport=websocket")
		e.moved = true
	} else {
		e.p = w.pollerWith(kind + "&transport=polling")
	}
	e.s = w.h.session(0)
	if prepare != nil {
		prepare(e)
	}
	cause(e)
	w.pass(2 * time.Minute)
	w.h.mu.Lock()
	lines := slices.DeleteFunc(w.h.lines, func(l string) bool { return strings.HasPrefix(l, "text") })
	w.h.mu.Unlock()
	if len(lines) != 2 || !slices.ContainsFunc(want, func(r Reason) bool { return lines[1] == "close: "+string(r) }) {
		w.t.Errorf("the handler was told %q, want an end with one of %q", lines, want)
	}
	if n, timers := w.srv.Clients(), w.srv.wheel.Len(); n != 0 || timers != 0 {
		w.t.Errorf("%d sessions and %d timers are left", n, timers)
	}
	w.srv.limits.mu.Lock()
	defer w.srv.limits.mu.Unlock()
	if n := w.srv.limits.count.Len() + w.srv.limits.of.Len(); n != 0 {
		w.t.Errorf("%d addresses are still counted", n)
	}
	select {
	case <-e.s.Done():
	default:
		w.t.Error("it is not done")
	}
}
