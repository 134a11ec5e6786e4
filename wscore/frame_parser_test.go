package wscore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hermod-io/hermod/internal/alloctest"
)

// clientFrame is a frame as a client sends it.
func clientFrame(fin bool, op Opcode, payload []byte) []byte {
	return rawFrame(fin, 0, op, true, payload)
}

// rawFrame is a frame with any bits.
func rawFrame(fin bool, rsv byte, op Opcode, masked bool, payload []byte) []byte {
	b := appendHeader(nil, op, len(payload))
	b[0] = b[0]&^0x80 | rsv<<4
	if fin {
		b[0] |= 0x80
	}
	if !masked {
		return append(b, payload...)
	}
	b[1] |= 0x80
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b = append(b, key[:]...)
	for i, c := range payload {
		b = append(b, c^key[i%4])
	}
	return b
}

// run feeds in to a parser in pieces of at most step bytes and tells what comes
// out, an item or an error a line.
func run(p *parser, in []byte, step int) (out []string) {
	for len(in) > 0 {
		piece := bytes.Clone(in[:min(step, len(in))])
		in = in[len(piece):]
		for len(piece) > 0 {
			n, it, err := p.next(piece)
			if err != nil {
				var f *fault
				if !errors.As(err, &f) {
					return append(out, "unknown error "+err.Error())
				}
				return append(out, fmt.Sprintf("fail %d", f.code))
			}
			piece = piece[n:]
			if it.ok {
				out = append(out, fmt.Sprintf("%d %q", it.op, it.data))
			}
		}
	}
	return out
}

func server(limit uint64) *parser { return &parser{masked: true, limit: limit} }

func TestParser(t *testing.T) {
	text := func(s string) []byte { return clientFrame(true, OpText, []byte(s)) }
	long := strings.Repeat("x", 70_000)
	for _, c := range []struct {
		name string
		in   [][]byte
		want []string
	}{
		{"text", [][]byte{text("héllo")}, []string{`1 "héllo"`}},
		{"empty", [][]byte{text("")}, []string{`1 ""`}},
		{"binary", [][]byte{clientFrame(true, OpBinary, []byte{0, 255})}, []string{`2 "\x00\xff"`}},
		{"lengths of 7, 16 and 64 bits", [][]byte{text(long[:125]), text(long[:126]), text(long[:65535]), text(long[:65536])},
			[]string{fmt.Sprintf("1 %q", long[:125]), fmt.Sprintf("1 %q", long[:126]), fmt.Sprintf("1 %q", long[:65535]), fmt.Sprintf("1 %q", long[:65536])}},
		{"fragments with control frames between", [][]byte{clientFrame(false, OpText, []byte("ab")), clientFrame(true, OpPing, []byte("p")), clientFrame(false, OpContinuation, nil), clientFrame(true, OpPong, nil), clientFrame(true, OpContinuation, []byte("c")), text("d")},
			[]string{`9 "p"`, `10 ""`, `1 "abc"`, `1 "d"`}},
		{"a character cut by fragments", [][]byte{clientFrame(false, OpText, []byte("\xe2\x82")), clientFrame(true, OpContinuation, []byte("\xac"))}, []string{`1 "€"`}},
		{"reserved bits", [][]byte{text("ok"), rawFrame(true, 4, OpText, true, nil)}, []string{`1 "ok"`, "fail 1002"}},
		{"reserved bit on a ping", [][]byte{rawFrame(true, 1, OpPing, true, nil)}, []string{"fail 1002"}},
		{"reserved bit on a continuation", [][]byte{clientFrame(false, OpText, nil), rawFrame(true, 4, OpContinuation, true, nil)}, []string{"fail 1002"}},
		{"reserved opcode", [][]byte{clientFrame(true, 3, nil)}, []string{"fail 1002"}},
		{"reserved control opcode", [][]byte{clientFrame(true, 11, nil)}, []string{"fail 1002"}},
		{"unmasked", [][]byte{rawFrame(true, 0, OpText, false, []byte("x"))}, []string{"fail 1002"}},
		{"ping of 125", [][]byte{clientFrame(true, OpPing, []byte(long[:125]))}, []string{fmt.Sprintf("9 %q", long[:125])}},
		{"ping of 126", [][]byte{clientFrame(true, OpPing, []byte(long[:126]))}, []string{"fail 1002"}},
		{"ping in fragments", [][]byte{clientFrame(false, OpPing, nil)}, []string{"fail 1002"}},
		{"continuation of nothing", [][]byte{clientFrame(true, OpContinuation, nil)}, []string{"fail 1002"}},
		{"message within a message", [][]byte{clientFrame(false, OpText, nil), text("x")}, []string{"fail 1002"}},
		{"invalid UTF-8", [][]byte{text("a\xffb")}, []string{"fail 1007"}},
		{"a surrogate", [][]byte{text("\xed\xa0\x80")}, []string{"fail 1007"}},
		{"beyond the last character", [][]byte{text("\xf4\x90\x80\x80")}, []string{"fail 1007"}},
		{"text that ends within a character", [][]byte{text("a\xe2\x82")}, []string{"fail 1007"}},
		{"invalid UTF-8 in binary", [][]byte{clientFrame(true, OpBinary, []byte("\xff"))}, []string{`2 "\xff"`}},
		{"7 bits written as 16", [][]byte{{0x82, 0x80 | 126, 0, 125, 0, 0, 0, 0}}, []string{"fail 1002"}},
		{"16 bits written as 64", [][]byte{{0x82, 0x80 | 127, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0}}, []string{"fail 1002"}},
		{"length with the top bit", [][]byte{{0x82, 0x80 | 127, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0}}, []string{"fail 1002"}},
		{"length of 2^62", [][]byte{{0x82, 0x80 | 127, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}, []string{"fail 1009"}},
	} {
		in := bytes.Join(c.in, nil)
		for _, step := range []int{len(in), 1, 2, 3, 7, 1000} {
			if len(in)/step > 100_000 {
				continue
			}
			if got := run(server(100_000), in, step); fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%s, %d bytes at a time:\ngot  %.200q\nwant %.200q", c.name, step, got, c.want)
			}
		}
	}
}

// The limit is of the message, exact, and checked before any byte of a payload
// that would exceed it. RFC 6455 section 10.4.
func TestParserLimit(t *testing.T) {
	whole := clientFrame(true, OpBinary, make([]byte, 10))
	if got := run(server(10), whole, 1); len(got) != 1 || got[0][0] != '2' {
		t.Errorf("exactly the limit: %q", got)
	}
	over := clientFrame(true, OpBinary, make([]byte, 11))
	if got := run(server(10), over[:6], 6); fmt.Sprint(got) != "[fail 1009]" {
		t.Errorf("the header of one more than the limit: %q", got)
	}
	parts := append(clientFrame(false, OpBinary, make([]byte, 6)), clientFrame(true, OpContinuation, make([]byte, 5))...)
	if got := run(server(10), parts, 3); fmt.Sprint(got) != "[fail 1009]" {
		t.Errorf("fragments beyond the limit: %q", got)
	}
	if got := run(server(0), clientFrame(true, OpBinary, make([]byte, 70_000)), 1000); len(got) != 1 {
		t.Errorf("without a limit: %.80q", got)
	}
}

// A text fails with the byte that makes it invalid, not at its end.
func TestParserFailsFast(t *testing.T) {
	in := clientFrame(true, OpText, []byte("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80edited"))
	p := server(0)
	for i := range in {
		_, _, err := p.next(bytes.Clone(in[i : i+1]))
		if err == nil {
			continue
		}
		if at := i - 6; at != 12 {
			t.Errorf("fails at byte %d of the payload, want 12: F4 90 can begin nothing", at)
		}
		return
	}
	t.Error("accepted")
}

// An announced length takes no memory; only bytes that came do.
func TestParserMemory(t *testing.T) {
	p := server(1 << 40)
	head := binary.BigEndian.AppendUint64([]byte{0x82, 0x80 | 127}, 1<<39)
	if _, _, err := p.next(append(head, 0, 0, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if cap(p.keeping().msg) != 0 {
		t.Errorf("%d bytes taken for nothing", cap(p.keeping().msg))
	}
	for range 1000 {
		if _, _, err := p.next(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
	}
	if cap(p.keeping().msg) > 4*10_000 {
		t.Errorf("%d bytes taken for 10000", cap(p.keeping().msg))
	}
}

// Fragments without content cost nothing, however many.
func TestParserEmptyFragments(t *testing.T) {
	p := server(10)
	first, more := clientFrame(false, OpText, nil), clientFrame(false, OpContinuation, nil)
	if got := run(p, first, len(first)); got != nil {
		t.Fatal(got)
	}
	if n := alloctest.PerRun(10_000, func() {
		var b [16]byte
		_, _, _ = p.next(b[:copy(b[:], more)])
	}); n != 0 {
		t.Errorf("%v allocations a fragment", n)
	}
	if cap(p.keeping().msg) != 0 {
		t.Errorf("%d bytes kept", cap(p.keeping().msg))
	}
}

func TestUTF8Check(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "é", "€", "😀", "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\x80", "\xed\xa0\x80"}
	for range 20_000 {
		var s strings.Builder
		for range r.IntN(6) {
			s.WriteString(pieces[r.IntN(len(pieces))])
		}
		var u utf8Check
		ok := true
		for rest := s.String(); ok && rest != ""; {
			n := 1 + r.IntN(len(rest))
			ok = u.add([]byte(rest[:n]))
			rest = rest[n:]
		}
		if ok = ok && u.done(); ok != utf8.ValidString(s.String()) {
			t.Fatalf("%q: %v", s.String(), ok)
		}
	}
}

func TestParseClose(t *testing.T) {
	for _, c := range []struct {
		in     string
		code   CloseCode
		reason string
		fail   CloseCode
	}{
		{"", CloseNoStatus, "", 0},
		{"\x03\xe8", CloseNormal, "", 0},
		{"\x03\xe8bye", CloseNormal, "bye", 0},
		{"\x03", 0, "", CloseProtocolError},
		{"\x03\xe8\xff", 0, "", CloseInvalidPayload},
		{"\x03\xf4", CloseServiceRestart, "", 0}, {"\x03\xf5", CloseTryAgainLater, "", 0}, {"\x03\xf6", CloseBadGateway, "", 0},
		{"\x0b\xb8", 3000, "", 0}, {"\x13\x87", 4999, "", 0},
		{"\x00\x00", 0, "", CloseProtocolError}, {"\x03\xe7", 0, "", CloseProtocolError}, {"\x03\xec", 0, "", CloseProtocolError},
		{"\x03\xed", 0, "", CloseProtocolError}, {"\x03\xee", 0, "", CloseProtocolError}, {"\x03\xf7", 0, "", CloseProtocolError},
		{"\x03\xf8", 0, "", CloseProtocolError}, {"\x0b\xb7", 0, "", CloseProtocolError}, {"\x13\x88", 0, "", CloseProtocolError},
	} {
		code, reason, err := parseClose([]byte(c.in))
		var f *fault
		if errors.As(err, &f); c.fail != 0 && (f == nil || f.code != c.fail) || c.fail == 0 && err != nil || code != c.code || reason != c.reason {
			t.Errorf("%x: %d %q %v", c.in, code, reason, err)
		}
	}
}

// naive reads frames as the RFC tells them, from a complete stream and with no
// eye on speed. It returns the same lines as run.
func naive(in []byte, limit int) (out []string) {
	r := bytes.NewReader(in)
	var msg []byte
	var msgOp Opcode
	open := false
	fail := func(code CloseCode) []string { return append(out, fmt.Sprintf("fail %d", code)) }
	for {
		h, length, key, ok := naiveHeader(r)
		if h == nil {
			return out
		}
		fin, op := h[0]>>7 == 1, Opcode(h[0]&15)
		known := op <= OpBinary || op >= OpClose && op <= OpPong
		switch control := op >= OpClose; {
		case h[0]&0x70 != 0 || h[1]>>7 == 0 || !known,
			control && (!fin || h[1]&127 > 125),
			!control && open == (op != OpContinuation):
			return fail(CloseProtocolError)
		}
		if !ok {
			return out
		}
		if short := uint64(h[1] & 127); short == 126 && length < 126 || short == 127 && (length < 65536 || length>>63 == 1) {
			return fail(CloseProtocolError)
		}
		if op < OpClose && length > uint64(limit-len(msg)) {
			return fail(CloseTooBig)
		}
		payload := make([]byte, min(length, uint64(r.Len())))
		_, _ = io.ReadFull(r, payload)
		for i := range payload {
			payload[i] ^= key[i%4]
		}
		short := uint64(len(payload)) < length
		switch {
		case op >= OpClose && !short:
			out = append(out, fmt.Sprintf("%d %q", op, payload))
		case op < OpClose:
			if !open {
				open, msgOp = true, op
			}
			msg = append(msg, payload...)
			done := fin && !short
			if msgOp == OpText && !canBeText(msg, done) {
				return fail(CloseInvalidPayload)
			}
			if done {
				out = append(out, fmt.Sprintf("%d %q", msgOp, msg))
				msg, open = nil, false
			}
		}
		if short {
			return out
		}
	}
}

// naiveHeader reads a header: its first two bytes (nil if there are not two),
// and if the rest is there the length and the key.
func naiveHeader(r *bytes.Reader) (h []byte, length uint64, key [4]byte, ok bool) {
	h = make([]byte, 2)
	if _, err := io.ReadFull(r, h); err != nil {
		return nil, 0, key, false
	}
	length = uint64(h[1] & 127)
	if ext := map[uint64]int{126: 2, 127: 8}[length]; ext > 0 {
		var b [8]byte
		if _, err := io.ReadFull(r, b[8-ext:]); err != nil {
			return h, 0, key, false
		}
		length = binary.BigEndian.Uint64(b[:])
	}
	_, err := io.ReadFull(r, key[:])
	return h, length, key, err == nil
}

// canBeText reports whether b is UTF-8, or (not done) can become it.
func canBeText(b []byte, done bool) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return !done && !utf8.FullRune(b)
		}
		b = b[n:]
	}
	return true
}

func FuzzFrameParser(f *testing.F) {
	join := func(frames ...[]byte) []byte { return bytes.Join(frames, nil) }
	for _, seed := range [][]byte{
		clientFrame(true, OpText, []byte("hello €")),
		join(clientFrame(false, OpText, []byte("\xe2")), clientFrame(true, OpPing, []byte("p")), clientFrame(true, OpContinuation, []byte("\x82\xac"))),
		join(clientFrame(true, OpBinary, make([]byte, 126)), clientFrame(true, OpClose, []byte{3, 232})),
		clientFrame(true, OpBinary, make([]byte, 1000)),
		{0x82, 0x80 | 127, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0},
		rawFrame(true, 4, OpText, true, nil),
		rawFrame(true, 0, OpText, false, []byte("x")),
	} {
		f.Add(seed, uint8(0))
		f.Add(seed, uint8(3))
	}
	f.Fuzz(func(t *testing.T, in []byte, step uint8) {
		const limit = 600
		want := naive(in, limit)
		pieces := int(step)
		if pieces == 0 {
			pieces = len(in) + 1
		}
		p := server(limit)
		if got := run(p, in, pieces); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%x in pieces of %d:\ngot  %q\nwant %q", in, pieces, got, want)
		}
		if k := p.keeping(); len(k.msg) > limit || cap(k.msg) > 4*len(in)+64 {
			t.Fatalf("keeps %d of %d bytes", cap(k.msg), len(in))
		}
	})
}

func BenchmarkParser(b *testing.B) {
	for _, size := range []int{64, 1024, 16 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			frame := clientFrame(true, OpText, bytes.Repeat([]byte("a"), size))
			in := make([]byte, len(frame))
			p := server(0)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				copy(in, frame)
				if _, it, err := p.next(in); err != nil || !it.ok {
					b.Fatal(err)
				}
			}
		})
	}
}
