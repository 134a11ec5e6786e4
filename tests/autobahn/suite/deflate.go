package suite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/hermod-io/hermod/tests/autobahn/internal/raw"
)

// Deflated is a case of permessage-deflate: messages of one size, sent without
// waiting for their echoes.
type Deflated struct {
	Offer  string // what this side offers as a client
	Answer string // what it answers as a server to a client that takes over
	Op     byte
	data   func(r *rand.Rand, n int) []byte
	Size   int
	Frag   int // size of the frames; 0 is one
	Count  int
	Off    bool // the server knows no compression, and must not agree to it
}

// Scale bounds the bytes of a compression case, by sending fewer messages.
// Those of the long form are 1000.
func (d *Deflated) Scale(bytes int) {
	if most := max(2, bytes/d.Size); d.Count > most {
		d.Count = most
	}
}

// deflates are the groups 12 and 13: RFC 7692.
func deflates() (all []Case) {
	kinds := []func(*rand.Rand, int) []byte{jsonLike, words, wide, random, mixed}
	for kind, data := range kinds {
		op := raw.Text
		if kind >= 3 {
			op = raw.Bin
		}
		set := Deflated{Op: op, data: data, Offer: "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
			Answer: "permessage-deflate; server_no_context_takeover; client_no_context_takeover"}
		all = append(all, sizes(fmt.Sprintf("12.%d", kind+1), set)...)
	}
	for i, p := range [][2]string{
		{"permessage-deflate", "permessage-deflate; server_max_window_bits=12"},
		{"permessage-deflate; server_no_context_takeover; client_max_window_bits", "permessage-deflate; server_no_context_takeover"},
		{"permessage-deflate; server_max_window_bits=9; client_max_window_bits", "permessage-deflate; server_max_window_bits=9"},
		{"permessage-deflate; server_max_window_bits=15; client_max_window_bits=15", "permessage-deflate; server_max_window_bits=12; client_max_window_bits=15"},
		{"permessage-deflate; server_no_context_takeover; server_max_window_bits=9", "permessage-deflate; server_no_context_takeover; server_max_window_bits=9"},
		{"permessage-deflate; server_no_context_takeover; server_max_window_bits=15; client_max_window_bits=9", "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
		{"permessage-deflate; server_max_window_bits=16, permessage-deflate; server_no_context_takeover; server_max_window_bits=10; client_max_window_bits, permessage-deflate",
			"permessage-deflate; server_max_window_bits=10; client_max_window_bits=9"},
	} {
		set := Deflated{Op: raw.Text, data: jsonLike, Offer: p[0], Answer: p[1]}
		all = append(all, sizes(fmt.Sprintf("13.%d", i+1), set)...)
	}
	return all
}

// sizes are the 18 cases that are made of each set of parameters.
func sizes(group string, set Deflated) (all []Case) {
	for i, n := range [][2]int{{16}, {64}, {256}, {1024}, {4096}, {8192}, {16384}, {32768}, {65536}, {131072},
		{8192, 256}, {16384, 256}, {32768, 256}, {65536, 256}, {131072, 256}, {131072, 1024}, {131072, 4096}, {131072, 32768}} {
		d := set
		d.Size, d.Frag, d.Count = n[0], n[1], 1000
		all = append(all, Case{ID: fmt.Sprintf("%s.%d", group, i+1), Zip: &d})
	}
	return all
}

func (d *Deflated) run(c *raw.Conn) error {
	if d.Off {
		if c.Extensions != "" {
			return fmt.Errorf("server chose %q, and was not to", c.Extensions)
		}
		return d.echo(c, nil, nil)
	}
	agreed := d.Answer
	if c.Client {
		hint, err := lawful(d.Offer, c.Extensions)
		if err != nil {
			return err
		}
		agreed = c.Extensions + hint
	}
	in, err := raw.NewZip(agreed, c.Client)
	if err != nil {
		return err
	}
	out, err := raw.NewZip(agreed, c.Client)
	if err != nil {
		return err
	}
	return d.echo(c, in, out)
}

// echo sends the messages and wants each back, then closes.
func (d *Deflated) echo(c *raw.Conn, in, out *raw.Zip) error {
	fault := make(chan error, 1)
	go func() { fault <- d.send(c, out) }()
	zipped := 0
	r := rand.New(rand.NewPCG(1, uint64(d.Size)))
	for i := range d.Count {
		want := d.data(r, d.Size)
		got, zip, err := receive(c, in, d.Op)
		if err != nil || !bytes.Equal(got, want) {
			_ = c.Close()
			return errors.Join(fmt.Errorf("message %d: got %d bytes (deflated: %v), want %d: %v", i+1, len(got), zip, len(want), err), <-fault)
		}
		if zip {
			zipped++
		}
	}
	if err := <-fault; err != nil {
		return err
	}
	if in != nil && zipped == 0 && d.Size >= 256 && d.compressible() {
		return errors.New("agreed to deflate, and no message was deflated")
	}
	return c.Goodbye()
}

// compressible reports whether deflating makes the messages smaller for certain.
func (d *Deflated) compressible() bool {
	s := d.data(rand.New(rand.NewPCG(1, uint64(d.Size))), d.Size)
	return strings.Count(string(s), "number") > 4
}

func (d *Deflated) send(c *raw.Conn, z *raw.Zip) error {
	r := rand.New(rand.NewPCG(1, uint64(d.Size)))
	var b []byte
	for range d.Count {
		payload, op := d.data(r, d.Size), d.Op
		if z != nil {
			p, err := z.Deflate(payload)
			if err != nil {
				return err
			}
			payload, op = p, op|raw.RSV1
		}
		for _, s := range split(op, payload, d.Frag) {
			b = s.Append(b, c.Client)
		}
		if len(b) > 1<<16 {
			if _, err := c.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	_, err := c.Write(b)
	return err
}

// receive reads one message; RSV1 may be on its first frame only.
func receive(c *raw.Conn, z *raw.Zip, op byte) (data []byte, zipped bool, err error) {
	for first := true; ; first = false {
		f, err := c.Next()
		if err != nil {
			return nil, zipped, err
		}
		want := op
		if !first {
			want = raw.Cont
		} else if z != nil && f.B0&raw.RSV1 != 0 {
			zipped = true
			want |= raw.RSV1
		}
		if f.B0&^raw.Fin != want {
			return nil, zipped, fmt.Errorf("frame %v within a message of opcode %d", f, op)
		}
		data = append(data, f.Payload...)
		if f.B0&raw.Fin != 0 {
			break
		}
	}
	if zipped {
		data, err = z.Inflate(data)
	}
	return data, zipped, err
}

// lawful checks that a server's answer fits one of the offers. hint is the
// window that the client then keeps to though the answer does not ask it. RFC
// 7692 section 7.1.
func lawful(offers, answer string) (hint string, err error) {
	a := params(answer)
	for offer := range strings.SplitSeq(offers, ",") {
		o := params(offer)
		if !fits(o, a) {
			continue
		}
		if _, limited := a[clientMax]; !limited && o[clientMax] != "" {
			hint = "; " + clientMax + "=" + o[clientMax]
		}
		return hint, nil
	}
	return "", fmt.Errorf("offered %q, answered %q", offers, answer)
}

const clientMax = "client_max_window_bits"

func params(s string) map[string]string {
	m := map[string]string{}
	for p := range strings.SplitSeq(s, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		m[k] = v
	}
	return m
}

func fits(offer, answer map[string]string) bool {
	const sn, sm, cm = "server_no_context_takeover", "server_max_window_bits", clientMax
	if bits, ok := offer[sm]; ok {
		o, _ := strconv.Atoi(bits)
		if a, err := strconv.Atoi(answer[sm]); o < 8 || o > 15 || err != nil || a < 8 || a > o {
			return false
		}
	}
	_, offered := offer[sn]
	_, answered := answer[sn]
	if offered && !answered {
		return false
	}
	bits, limited := answer[cm]
	hint, may := offer[cm]
	if !limited {
		return true
	}
	a, err := strconv.Atoi(bits)
	h, hintErr := strconv.Atoi(hint)
	return may && err == nil && a >= 8 && a <= 15 && (hintErr != nil || a <= h)
}

func jsonLike(r *rand.Rand, n int) []byte {
	var b []byte
	for len(b) < n {
		b = fmt.Appendf(b, `{"number":%d,"name":"item %d","on":true},`, r.IntN(1e6), r.IntN(100))
	}
	return b[:n]
}

func words(r *rand.Rand, n int) []byte {
	list := strings.Fields("the quick brown fox jumps over a lazy dog while seven wizards box with liquor jugs")
	var b []byte
	for len(b) < n {
		b = append(append(b, list[r.IntN(len(list))]...), ' ')
	}
	return b[:n]
}

func wide(r *rand.Rand, n int) []byte {
	var b []byte
	for len(b) < n-3 {
		b = append(b, string(rune(0x3041+r.IntN(80)))...)
	}
	return append(b, "..."[:n-len(b)]...)
}

func random(r *rand.Rand, n int) []byte {
	b := make([]byte, 0, n+8)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, r.Uint64())
	}
	return b[:n]
}

func mixed(r *rand.Rand, n int) []byte {
	b := jsonLike(r, n)
	copy(b[n/2:], random(r, n/4))
	return b
}
