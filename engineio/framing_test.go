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
	text, bin := Message{Data: bytes.Repeat([]byte("a"), 1000)}, Message{Binary: true, Data: []byte{1, 2}}
	pong := unit{pkts: []packet.Packet{{Type: packet.Pong}}}
	for name, c := range map[string]struct {
		d            dialect
		msgs         []Message
		alone, among string
	}{
		"protocol 4":           {dialect4{}, []Message{text, bin}, "4" + string(text.Data) + "\x1ebAQI=", "3\x1e%s\x1e%s\x1e3"},
		"protocol 3, text":     {dialect3{base64: true}, []Message{text, bin}, "1001:4" + string(text.Data) + "6:b4AQI=", "1:3%s%s1:3"},
		"protocol 3, bytes":    {dialect3{}, []Message{bin}, "\x01\x03\xff\x04\x01\x02", "\x00\x01\xff3%s%s\x00\x01\xff3"},
		"protocol 3, no bytes": {dialect3{}, []Message{text}, "1001:4" + string(text.Data), "1:3%s%s1:3"},
	} {
		p := NewPrepared(c.msgs...)
		one, _ := c.d.payload([]unit{{prepared: p}})
		other, _ := c.d.payload([]unit{{prepared: p}})
		if string(one) != c.alone || &one[0] != &other[0] {
			t.Errorf("%s: %.40q, shared by two answers: %t", name, one, &one[0] == &other[0])
		}
		want := strings.ReplaceAll(c.among, "%s", c.alone)
		if got, _ := c.d.payload([]unit{pong, {prepared: p}, {prepared: p}, pong}); string(got) != want {
			t.Errorf("%s: among others it is %.40q, want %.40q", name, got, want)
		}
		newJSONP(c.d, "0").payload([]unit{{prepared: p}})
		if again, _ := c.d.payload([]unit{{prepared: p}}); string(again) != c.alone {
			t.Errorf("%s: after an answer as a script it is %.40q", name, again)
		}
	}
}
