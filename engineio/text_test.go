package engineio

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Over WebSocket a text that is no UTF-8 ends its connection. A body of long-polling
// was taken as it was: who sent such a text on to others, as a chat does, had their
// browsers close all their WebSockets (1007).
func TestTextOfABodyIsUTF8(t *testing.T) {
	for name, c := range map[string]struct{ query, body, want string }{
		"protocol 4":    {pollingQuery, "4a\xffb\x1e4\xe2\x82\x1e4€\x1ebgP8=", "a\ufffdb|\ufffd\ufffd|€|binary 80ff"},
		"protocol 3":    {"EIO=3&transport=polling", "4:4a\xffb2:4€", "a\ufffdb|€"},
		"JSONP":         {pollingQuery + "&j=0", "d=4a%FFb", "a\ufffdb"},
		"a JSONP form":  {pollingQuery + "&j=0", "d=4a\xffb", "a\ufffdb"},
		"half a pair":   {pollingQuery, "4\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
		"a whole body":  {pollingQuery, "4" + strings.Repeat("\xff", 500), strings.Repeat("\ufffd", 500)},
		"what is valid": {pollingQuery, "4Zoë\x00\ufffd", "Zoë\x00\ufffd"},
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, Config{AllowEIO3: true}, func(w *world) {
				w.h.onMessage = func(_ *Session, binary bool, data []byte) {
					for s := range w.srv.Sessions() {
						if err := s.Send(0, Message{Binary: binary, Data: data}); err != nil {
							w.t.Error(err)
						}
					}
				}
				other := w.websocket()
				p := w.pollerWith(c.query)
				w.want("two sessions", "open", "open")
				p.post(c.body)
				for want := range strings.SplitSeq(c.want, "|") {
					if !strings.HasPrefix(want, "binary") {
						want = "4" + want
					}
					if got := other.next(); got != want || !utf8.ValidString(got) {
						w.t.Fatalf("another client got %.200q, want %.200q", got, want)
					}
				}
			})
		})
	}
}
