package rest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/internal/mormotvectors"
	"github.com/hermod-io/hermod/wscore"
)

// probe is unusual input to a server, and how the reference took it.
type probe struct {
	Kind, Name, Protocol, URI string
	Mode                      string   `json:"server_mode"`
	SentHex                   []string `json:"sent_hex"`
	Received                  []recorded
	Closed                    any
}

// strictProbes are those where we answer something else, and why. The values are
// the frames that come: opcode and payload, without a close frame's text.
var strictProbes = map[string][]string{
	// RFC 6455 section 5.6 lets the application say what a message means: a request
	// whose head can be read is answered 400 instead of being dropped in silence.
	"json-malformed":      {`1 {"answer":[400,"","",""]}`},
	"bin-truncated-field": {"2 a000001\x01\x03400\x00\x00"},
	"bin-overlong-field":  {"2 a000001\x01\x03400\x00\x00"},
	// A frame that fails the container's check closes the connection (section 7.4.1,
	// 1007); the reference takes it for empty and goes on.
	"synlz-plain-payload": {"8 \x03\xef"},
	"synlz-bad-crc":       {"8 \x03\xef"},
	// The reference closes without a status, or without a close frame.
	"aes-plain-payload": {"8 \x03\xef"},
	"aes-short-payload": {"8 \x03\xef"},
	// The reference closes for a damaged jumbo frame; what is before the damage is
	// answered, and the connection lives on.
	"bin-jumbo-truncated": nil, // the recorded answer alone
	// JSON content ends where its value ends: RFC 8259 section 2. The reference hands
	// on the blank behind it.
	"json-spaces": {`1 {"answer":[200,"","",{"method":"GET","url":"info/x","headers":"","contenttype":"application/json","bodylen":11,` +
		`"bodysha256":"c94841c938b16d8b21ccfcd43131ec607e39782e486250bcd72341c7a3af0e44","body":"{ \"a\" : 1 }"}]}`},
}

func TestProbesOfServers(t *testing.T) {
	var f struct{ Probes []probe }
	mormotvectors.Load(t, "probe-server", &f)
	n := 0
	for _, p := range f.Probes {
		if p.Kind != "rest" {
			continue
		}
		n++
		t.Run(p.Mode+"/"+p.Name, p.run)
	}
	if n != 70 {
		t.Errorf("%d probes", n)
	}
}

func (p *probe) run(t *testing.T) {
	s := &scenario{}
	s.Server.Protocol = p.Protocol
	uri := strings.TrimPrefix(p.URI, "/")
	o := Options{URI: uri, Handler: &recordedApp{s: s}, SynLZ: uri == "synlz"}
	if uri == "aes" {
		o.WeakAES = weakCipher(t, "mORMot secret key", "", 0)
	}
	hs, h := testServer(t, []wscore.ProtocolSpec{specOf(p.Protocol, o)}, wscore.ProcessSettings{}, nil)
	raw, resp := rawDial(t, hs, "GET "+p.URI+" HTTP/1.1\r\nHost: any\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Key: DzXShw0La1GZ4VZxhC6c1Q==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: "+p.Protocol+"\r\n\r\n")
	if resp.StatusCode != 101 {
		t.Fatal(resp.Status)
	}
	peer := onlyPeer(t, h)
	for _, chunk := range p.SentHex {
		raw.write(mormotvectors.Hex(t, chunk))
	}
	want := p.want(t)
	var got []string
	for range want {
		op, payload := raw.next()
		if op == 8 {
			payload = payload[:min(2, len(payload))]
		}
		got = append(got, fmt.Sprintf("%d %s", op, payload))
	}
	if peer.sequenced { // answers come as they are ready
		slices.Sort(got)
		slices.Sort(want)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	if len(want) == 0 || want[0][0] != '8' {
		p.alive(t, raw, peer)
	}
}

// want is what comes back, as strictProbes has it.
func (p *probe) want(t *testing.T) (list []string) {
	t.Helper()
	strict, ok := strictProbes[p.Name]
	if strict != nil {
		return strict
	}
	for _, r := range p.Received {
		if !ok || r.Opcode != 8 {
			list = append(list, fmt.Sprintf("%d %s", r.Opcode, mormotvectors.Hex(t, r.PayloadHex)))
		}
	}
	if p.Name == "json-missing-body" { // our application cannot tell that from "": see recordedApp
		list[0] = strings.Replace(list[0], `"contenttype":"","bodylen":0,"bodysha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","body":""`,
			`"contenttype":"application/json","bodylen":2,"bodysha256":"12ae32cb1ec02d01eda3581b127c1fee3b0dc53572ed6baf239721a03d82e126","body":"\"\""`, 1)
	}
	return list
}

// alive sees that nothing more comes than the answer to one more request.
func (p *probe) alive(t *testing.T, raw *rawPeer, peer *Peer) {
	t.Helper()
	m := (&Request{Method: "GET", URL: "void"}).message("rfedcba")
	frame := peer.format.append(nil, m, 4)
	op := byte(0x82)
	if p.Protocol == "synopsejson" {
		op = 0x81
	}
	if peer.o.SynLZ {
		frame = wrap(t, peer.o, frame)
	}
	raw.send([]byte{op, 0x80 | byte(len(frame)), 1, 2, 3, 4}, []byte{1, 2, 3, 4}, frame)
	_, got := raw.next()
	if want := peer.format.append(nil, (&Answer{Status: 200}).message("afedcba"), 2); !bytes.Equal(got, want) {
		t.Errorf("then: got %q, want %q", got, want)
	}
}
