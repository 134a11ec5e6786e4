package engineio

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/engineio/packet"
)

// A broadcast of 100 KB to members over long-polling that were slow to take it was
// there once for each of them.
func TestBroadcastIsSharedByAnswers(t *testing.T) {
	text, bin := Message{Data: bytes.Repeat([]byte("a"), sharedFrom)}, Message{Binary: true, Data: []byte{1, 2}}
	pong := unit{pkts: []packet.Packet{{Type: packet.Pong}}}
	for name, c := range map[string]struct {
		d            dialect
		msgs         []Message
		alone, among string
	}{
		"protocol 4":           {dialect4{}, []Message{text, bin}, "4" + string(text.Data) + "\x1ebAQI=", "3\x1e%s\x1e%s\x1e3"},
		"protocol 3, text":     {dialect3{base64: true}, []Message{text, bin}, "4097:4" + string(text.Data) + "6:b4AQI=", "1:3%s%s1:3"},
		"protocol 3, bytes":    {dialect3{}, []Message{bin}, "\x01\x03\xff\x04\x01\x02", "\x00\x01\xff3%s%s\x00\x01\xff3"},
		"protocol 3, no bytes": {dialect3{}, []Message{text}, "4097:4" + string(text.Data), "1:3%s%s1:3"},
	} {
		p := NewPrepared(c.msgs...)
		answer := func(units ...unit) (pieces, string) {
			body, _ := c.d.payload(nil, units)
			return body, string(bytes.Join(body, nil))
		}
		share := func(a, b []byte) bool { return &a[0] == &b[0] }
		one, text := answer(unit{prepared: p})
		if other, _ := answer(unit{prepared: p}); text != c.alone || len(one) != 1 || !share(one[0], other[0]) {
			t.Errorf("%s: %.40q in %d pieces", name, text, len(one))
		}
		among, text := answer(pong, unit{prepared: p}, unit{prepared: p}, pong)
		if want := strings.ReplaceAll(c.among, "%s", c.alone); text != want {
			t.Errorf("%s: among others it is %.40q, want %.40q", name, text, want)
		}
		if long := len(c.alone) >= sharedFrom; long != (len(among) > 1) || long && !share(among[1], one[0]) {
			t.Errorf("%s: among others it is in %d pieces", name, len(among))
		}
		newJSONP(c.d, "0").payload(nil, []unit{{prepared: p}})
		if _, text = answer(unit{prepared: p}); text != c.alone {
			t.Errorf("%s: after an answer as a script it is %.40q", name, text)
		}
	}
}
