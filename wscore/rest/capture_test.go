package rest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/internal/mormotvectors"
	"github.com/hermod-io/hermod/wscore/rest/synlz"
	"github.com/hermod-io/hermod/wscore/rest/weakaes"
)

// A scenario is what travelled between a server and a client of the reference,
// and what their applications saw.
type scenario struct {
	Name   string
	Server struct {
		Protocol, URI, Options, Cipher string
		Key                            *string
		Rounds                         int
	}
	Handshake struct{ Request, Response string }
	Frames    []recorded
	ServerLog []json.RawMessage `json:"server_log"`

	ends  [][]byte // see tails
	lines [][]byte // see notified
}

// recorded is a frame of a scenario.
type recorded struct {
	I           int
	Dir         string
	Opcode      byte
	Len         int
	HeaderHex   string `json:"header_hex"`
	MaskKey     string `json:"mask_key"`
	PayloadHex  string `json:"payload_hex"`
	PayloadHead string `json:"payload_head_hex"`
	PayloadSHA  string `json:"payload_sha256"`
	PlainLen    int    `json:"plain_len"`
	PlainHex    string `json:"plain_hex"`
	PlainHead   string `json:"plain_head_hex"`
	PlainSHA    string `json:"plain_sha256"`
}

// captures are those with a REST conversation.
var captures = []string{"capture-synopsejson", "capture-synopsebin-plain", "capture-synopsebin-synlz", "capture-synopsebin-aes"}

func scenarios(t *testing.T, file string) []scenario {
	t.Helper()
	var f struct{ Scenarios []scenario }
	mormotvectors.Load(t, file, &f)
	return f.Scenarios
}

// eachScenario runs f for every recorded REST conversation.
func eachScenario(t *testing.T, f func(t *testing.T, s *scenario)) {
	n := 0
	for _, file := range captures {
		for _, s := range scenarios(t, file) {
			n++
			t.Run(s.Name, func(t *testing.T) { f(t, &s) })
		}
	}
	if n != 16 {
		t.Errorf("%d scenarios, want 16", n)
	}
}

// options are those that the recorded server had.
func (s *scenario) options(t *testing.T) Options {
	t.Helper()
	o := Options{URI: s.Server.URI, SynLZ: strings.HasPrefix(s.Server.Options, "synlz"),
		NoLocalCompress: strings.Contains(s.Server.Options, "nolocalcompress"),
		NoLocalEncrypt:  strings.Contains(s.Server.Options, "nolocalencrypt")}
	if s.Server.Key != nil {
		o.WeakAES = weakCipher(t, *s.Server.Key, s.Server.Cipher, s.Server.Rounds)
	}
	return o
}

func weakCipher(t *testing.T, pass, name string, rounds int) Cipher {
	t.Helper()
	if name == "" {
		name, rounds = "aes-128-ctr", 1024
	}
	modes := map[string]weakaes.Mode{"ctr": weakaes.CTR, "cfb": weakaes.CFB, "ofb": weakaes.OFB, "cbc": weakaes.CBC}
	key := weakaes.DeriveSha256Weak([]byte(pass))
	if rounds > 0 {
		key = weakaes.DeriveKey([]byte(pass), []byte(weakaes.DefaultSalt), rounds)
	}
	n := 32
	if strings.HasPrefix(name, "aes-128") {
		n = 16
	}
	c, err := weakaes.New(key[:n], modes[name[len("aes-128-"):]])
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// unwrap is what a frame stands for: its bytes without encryption and compression.
func unwrap(t *testing.T, o *Options, wire []byte) []byte {
	t.Helper()
	var err error
	if o.WeakAES != nil && !o.NoLocalEncrypt {
		if wire, err = o.WeakAES.Open(nil, wire); err != nil {
			t.Fatal(err)
		}
	}
	if o.SynLZ {
		if wire, err = synlz.Decode(nil, wire, 4<<20); err != nil {
			t.Fatal(err)
		}
	}
	return wire
}

// wrap is the opposite, for frames of which only the plain bytes are known.
func wrap(t *testing.T, o *Options, plain []byte) []byte {
	t.Helper()
	if o.SynLZ {
		threshold := synlz.DefaultThreshold
		if o.NoLocalCompress || isPacked(plain) {
			threshold = synlz.NoCompression
		}
		plain = synlz.Encode(nil, plain, threshold)
	}
	if o.WeakAES != nil && !o.NoLocalEncrypt {
		var err error
		if plain, err = o.WeakAES.Seal(nil, plain); err != nil {
			t.Fatal(err)
		}
	}
	return plain
}

// plain is the message of a frame.
func (s *scenario) plain(t *testing.T, f *recorded) []byte {
	t.Helper()
	switch {
	case f.PlainHex != "":
		return mormotvectors.Hex(t, f.PlainHex)
	case f.PlainLen > 0:
		return s.complete(t, mormotvectors.Hex(t, f.PlainHead), f.PlainLen, f.PlainSHA)
	case f.PayloadHex != "" || f.Len == 0:
		return mormotvectors.Hex(t, f.PayloadHex)
	}
	return s.complete(t, mormotvectors.Hex(t, f.PayloadHead), f.Len, f.PayloadSHA)
}

// wire is the payload of a frame as it was sent, or as it could have been where
// only its hash was kept.
func (s *scenario) wire(t *testing.T, o *Options, f *recorded) []byte {
	t.Helper()
	if f.PayloadHex != "" || f.Len == 0 {
		return mormotvectors.Hex(t, f.PayloadHex)
	}
	if f.PlainLen == 0 {
		return s.plain(t, f)
	}
	return wrap(t, o, s.plain(t, f))
}

// contents are those of the frames too long to be recorded.
func (s *scenario) contents(t *testing.T) (list [][]byte) {
	for _, desc := range []string{"lorem(2000)", "lorem(65400)", "lorem(65536)", "lorem(102400)", "lcg(3,600)", "lcg(9,2000)", "lcg(42,1048576)", "json(102400)"} {
		list = append(list, mormotvectors.Expand(t, desc, ""))
	}
	list = append(list, append([]byte("\x1f\x8b\x08\x00"), list[0]...), append([]byte("\x89PNG\r\n\x1a\n"), list[0]...))
	return append(list, append(bytes.Join(s.notified(t), []byte("\n")), '\n'))
}

// notified reads the lines in which the application logged how its callbacks
// ended. It is also what it answers to lastnotify.
func (s *scenario) notified(t *testing.T) [][]byte {
	t.Helper()
	if s.lines != nil {
		return s.lines
	}
	for _, raw := range s.ServerLog {
		var line bytes.Buffer
		if err := json.Compact(&line, raw); err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(line.Bytes(), []byte(`{"event":"notified"`)) {
			s.lines = append(s.lines, line.Bytes())
		}
	}
	return s.lines
}

// tails are how messages with one of these contents end.
func (s *scenario) tails(t *testing.T) [][]byte {
	t.Helper()
	if s.ends != nil {
		return s.ends
	}
	for _, c := range s.contents(t) {
		quoted := append(appendJSONString(nil, string(c)), "]}"...)
		packed := []byte(`"` + binaryMark + base64.StdEncoding.EncodeToString(c) + `"]}`)
		s.ends = append(s.ends, c, slices.Concat([]byte("application/octet-stream"), c), slices.Concat(c, []byte("]}")),
			quoted, packed, slices.Concat([]byte(`application/octet-stream",`), packed))
	}
	return s.ends
}

// complete finds the message of n bytes that begins with head and has that hash.
func (s *scenario) complete(t *testing.T, head []byte, n int, sum string) []byte {
	t.Helper()
	for _, tail := range s.tails(t) {
		if k := n - len(tail); k >= 0 && k <= len(head) {
			msg := slices.Concat(head[:k], tail)
			if got := sha256.Sum256(msg); hex.EncodeToString(got[:]) == sum {
				return msg
			}
		}
	}
	t.Fatalf("no content for %q… of %d bytes", head, n)
	return nil
}

// Every recorded frame is understood, and what it says is encoded to the same
// bytes again, in all layers that have nothing random in them.
func TestCapturedFrames(t *testing.T) {
	eachScenario(t, func(t *testing.T, s *scenario) {
		o := s.options(t)
		for _, f := range s.Frames {
			if f.Opcode == 8 {
				continue
			}
			plain := s.plain(t, &f)
			wire := s.wire(t, &o, &f)
			if got := unwrap(t, &o, wire); !bytes.Equal(got, plain) {
				t.Errorf("frame %d: unwrapped to %.100q, want %.100q", f.I, got, plain)
			}
			if o.WeakAES == nil || o.NoLocalEncrypt {
				mormotvectors.Check(t, s.Name, wrap(t, &o, plain), f.PayloadHex, f.PayloadSHA)
			}
			s.checkFrame(t, &f, plain)
		}
	})
}

func (s *scenario) format() format {
	if s.Server.Protocol == "synopsejson" {
		return jsonFormat{}
	}
	return binaryFormat{}
}

func (s *scenario) checkFrame(t *testing.T, f *recorded, plain []byte) {
	t.Helper()
	var inner [][]byte
	jumbo, err := splitJumbo(plain, func(_, _ int, b []byte) { inner = append(inner, b) })
	if err != nil {
		t.Fatal(err)
	}
	if jumbo {
		if got := appendJumbo(nil, inner); !bytes.Equal(got, plain) {
			t.Errorf("frame %d: jumbo %q, want %q", f.I, got, plain)
		}
	} else {
		inner = [][]byte{plain}
	}
	for _, b := range inner {
		m, err := s.format().parse(b)
		if lax := bytes.Contains(b, []byte(",no content type]")); lax || err != nil {
			if !lax || err == nil || m.head == "" {
				t.Errorf("frame %d: %.100q: %v", f.I, b, err)
			}
			continue
		}
		if got := s.format().append(nil, &m, valuesOf(m.head)); !bytes.Equal(got, b) {
			t.Errorf("frame %d: %.100q, want %.100q", f.I, got, b)
		}
	}
}
