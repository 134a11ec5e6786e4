package chat_test

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/internal/mormotvectors"
	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/chat"
)

// frameProbe is one of probe-server.json, sent to an echo server.
type frameProbe struct {
	Kind, Name string
	Mode       string   `json:"server_mode"`
	Sent       []string `json:"sent_hex"`
	Received   []frame
	Closed     any
	Then       []frame `json:"then_received"`
}

// outcome is what came back: opcode and payload of each frame, of a close frame
// the code alone, and at last whether the connection lives.
func (p *frameProbe) outcome(t *testing.T) (list []string) {
	end := "open"
	if p.Closed != false {
		end = "closed"
	}
	for _, f := range slices.Concat(p.Received, p.Then) {
		if f.SHA256 != "" {
			f.payload = slices.Concat(slices.Repeat([]byte("a"), 30000), slices.Repeat([]byte("b"), 30000), slices.Repeat([]byte("c"), 10000))
			mormotvectors.Check(t, p.Name, f.payload, "", f.SHA256)
		} else {
			f.payload = mormotvectors.Hex(t, f.Hex)
		}
		list = append(list, outcome(f))
		if f.Opcode == byte(wscore.OpClose) {
			end = "closed"
		}
	}
	return append(list, end)
}

func outcome(f frame) string {
	switch {
	case f.Opcode == byte(wscore.OpClose):
		return fmt.Sprintf("close %x", f.payload[:min(2, len(f.payload))])
	case len(f.payload) > 200:
		return fmt.Sprintf("%d: %d bytes", f.Opcode, len(f.payload))
	}
	return fmt.Sprintf("%d %s", f.Opcode, f.payload)
}

// strictOutcomes are those that differ from what was recorded, and why. mORMot
// closes without a code.
var strictOutcomes = map[string]struct {
	list []string
	why  string
}{
	"ping-126":            {[]string{"close 03ea", "closed"}, "RFC 6455 section 5.5: a control frame has at most 125 bytes"},
	"frag-same-opcode":    {[]string{"close 03ea", "closed"}, "RFC 6455 section 5.4: what follows the first fragment has opcode 0"},
	"frag-other-opcode":   {[]string{"close 03ea", "closed"}, "RFC 6455 section 5.4: what follows the first fragment has opcode 0"},
	"frag-ping-between":   {[]string{"10 x", "1 hello", "1 after", "open"}, "RFC 6455 section 5.4: control frames may come between fragments"},
	"lone-continuation":   {[]string{"close 03ea", "closed"}, "RFC 6455 section 5.4: there is nothing to continue"},
	"unmasked":            {[]string{"close 03ea", "closed"}, "RFC 6455 section 5.1: a server closes when a client does not mask"},
	"zero-mask":           {[]string{"1 zero", "1 after", "open"}, "RFC 6455 section 5.3: a key is any 32 bits"},
	"opcode-3":            {[]string{"close 03ea", "closed"}, "RFC 6455 section 5.2: an unknown opcode fails the connection"},
	"opcode-11":           {[]string{"close 03ea", "closed"}, "RFC 6455 section 5.2: an unknown opcode fails the connection"},
	"rsv1":                {[]string{"close 03ea", "closed"}, "RFC 6455 section 5.2: a reserved bit that was not negotiated fails the connection"},
	"close-1byte":         {[]string{"close 03ea", "closed"}, "RFC 6455 section 5.5.1: a body begins with a code of two bytes"},
	"len16-small":         {[]string{"close 03ea", "closed"}, "RFC 6455 section 5.2: the shortest form of a length is used"},
	"len64-small":         {[]string{"close 03ea", "closed"}, "RFC 6455 section 5.2: the shortest form of a length is used"},
	"len-257mb":           {[]string{"close 03f1", "closed"}, "RFC 6455 section 7.4.1: too big is 1009"},
	"len-negative":        {[]string{"close 03ea", "closed"}, "RFC 6455 section 5.2: the highest bit of a length is 0"},
	"text-bad-utf8":       {[]string{"close 03ef", "closed"}, "RFC 6455 section 8.1: text is UTF-8, else 1007"},
	"half-frame-then-fin": {[]string{"closed"}, "the stream has ended: there is nobody to read a close frame"},
}

// after is the text frame that shows whether a connection still works.
var after = frame{Opcode: 1, Masked: true, Header: "818537fa213d", MaskKey: "37fa213d", Hex: "6166746572"}

func TestProbedFrames(t *testing.T) {
	var f struct{ Probes []frameProbe }
	mormotvectors.Load(t, "probe-server", &f)
	_, u := serve(t, wscore.ProcessSettings{HeartbeatDelay: -1}, chat.New(chat.Options{Name: "echo", OnMessage: echo(t, "")}))
	differs := map[string]bool{}
	for _, p := range f.Probes {
		if p.Kind != "frames" {
			continue
		}
		t.Run(p.Name+"-"+p.Mode, func(t *testing.T) {
			want := p.outcome(t)
			if row, ok := strictOutcomes[p.Name]; ok {
				differs[p.Name] = differs[p.Name] || !slices.Equal(row.list, want)
				want = row.list
			}
			if got := p.play(t, u, slices.Index(want, "1 after")); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	for name, row := range strictOutcomes {
		if !differs[name] || row.why == "" {
			t.Errorf("%s: recorded just so, or without a reason", name)
		}
	}
}

const upgradeToEcho = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: echo\r\n\r\n"

// play sends the probe, after it the text when so many frames have come, and
// tells the outcome. A pong counts before what came in the same read.
func (p *frameProbe) play(t *testing.T, u string, before int) (list []string) {
	w := dialWire(t, u)
	chunks := make([][]byte, 0, len(p.Sent)+1)
	for _, s := range p.Sent {
		chunks = append(chunks, chunk(t, s))
	}
	if first := []byte(upgradeToEcho); p.Name == "glued-to-handshake" {
		chunks[0] = append(first, chunks[0]...)
	} else {
		chunks = slices.Insert(chunks, 0, first)
	}
	for i, b := range chunks {
		_ = w.write(b) // one that fails shows in what comes back
		if i == 0 {
			if res, body, err := w.response(); err != nil || res.StatusCode != 101 {
				t.Fatal(res, body, err)
			}
		}
	}
	if p.Name == "half-frame-then-fin" {
		_ = w.c.(*net.TCPConn).CloseWrite()
	}
	for {
		if len(list) == max(before, 0) {
			_ = w.write(after.bytes(t))
		}
		f, err := w.read()
		if err != nil {
			return append(list, "closed")
		}
		if f.Opcode == byte(wscore.OpPong) {
			list = slices.Insert(list, 0, outcome(f))
		} else {
			list = append(list, outcome(f))
		}
		if list[len(list)-1] == "1 after" {
			_ = w.c.Close()
			return append(list, "open")
		}
	}
}

// chunk is what was sent. Of a long one there is the beginning, and the length;
// its payload is one letter under a mask, so that it repeats after four bytes.
func chunk(t *testing.T, s string) []byte {
	s, length, cut := strings.Cut(s, "...(")
	b := mormotvectors.Hex(t, s)
	if cut {
		n, err := strconv.Atoi(strings.TrimSuffix(length, " bytes)"))
		if err != nil {
			t.Fatal(err)
		}
		for len(b) < n {
			b = append(b, b[len(b)-4])
		}
	}
	return b
}
