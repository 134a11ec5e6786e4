package wscore

import (
	"bytes"
	stdflate "compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

// sample is n bytes of a kind: text as of JSON, noise, or one byte repeated.
func sample(kind string, n int, seed uint64) []byte {
	rnd := rand.New(rand.NewPCG(seed, 7))
	b := make([]byte, 0, n+64)
	for len(b) < n {
		switch kind {
		case "json":
			b = fmt.Appendf(b, `{"id":%d,"user":"u%d","price":%.2f,"ok":true},`, rnd.IntN(1e6), rnd.IntN(500), rnd.Float64()*100)
		case "noise":
			b = append(b, byte(rnd.Uint32()))
		default:
			b = append(b, 'a')
		}
	}
	return b[:n]
}

var sampleSizes = []int{0, 1, 2, 12, 13, 33, 129, 600, 1024, 4095, 4096, 4097, 24575, 32767, 32768, 40000, 70000}

// settingsOf are deflaters of each kind, with a name.
func settingsOf() map[string]func() *deflater {
	m := map[string]func() *deflater{}
	for bits := uint8(minWindowBits); bits <= maxWindowBits; bits++ {
		for _, level := range []int{1, 5, 9} {
			for _, dict := range []int{0, 1024, 8192} {
				if level > 5 && bits > minWindowBits && bits < maxWindowBits {
					continue // the level makes no difference to a large message there
				}
				d := &Deflate{Takeover: dict > 0, Dictionary: dict, Level: level, PeerWindow: 15}
				m[fmt.Sprintf("bits %d level %d dictionary %d", bits, level, dict)] = func() *deflater {
					return newDeflater(d, deflateParams{dict == 0, dict == 0, bits, 15}, false)
				}
			}
		}
	}
	return m
}

// receiver is the other end of z as the standard library makes it: one decoder
// for the connection with takeover, or one for each message.
type receiver struct {
	takeover bool
	in       bytes.Buffer
	r        io.Reader
}

func (r *receiver) read(t *testing.T, wire []byte, n int) []byte {
	t.Helper()
	r.in.Write(wire)
	r.in.Write(syncTail)
	if r.r == nil || !r.takeover {
		r.r = stdflate.NewReader(&r.in)
	}
	got := make([]byte, n)
	if _, err := io.ReadFull(r.r, got); err != nil {
		t.Fatal(err)
	}
	if !r.takeover {
		r.in.Reset()
	}
	return got
}

// TestDeflateRoundTrip: what every setting compresses, message after message, is
// understood by the standard library and by us, and never refers to what is
// beyond the window that was agreed on.
func TestDeflateRoundTrip(t *testing.T) {
	for name, make := range settingsOf() {
		z := make()
		std := &receiver{takeover: z.sent != nil}
		ours := newDeflater(&Deflate{Takeover: z.sent != nil, PeerWindow: 15}, deflateParams{z.sent == nil, z.sent == nil, z.bits, z.bits}, true)
		var decoded []byte // all that was compressed
		for i, size := range sampleSizes {
			for _, kind := range []string{"json", "noise", "a"} {
				data := sample(kind, size, uint64(i))
				cut := min(len(data), i%3)
				wire, ok := z.compress([]byte("head"), data[:cut], data[cut:])
				if !bytes.HasPrefix(wire, []byte("head")) || ok != (len(wire) > 4) || ok && len(wire)-4 >= size {
					t.Fatalf("%s: %d bytes of %s: %d bytes, %v", name, size, kind, len(wire)-4, ok)
				}
				if !ok {
					if kind == "json" && size > 600 {
						t.Fatalf("%s: %d bytes of %s were not compressed", name, size, kind)
					}
					continue
				}
				wire = wire[4:]
				if got := std.read(t, wire, size); !bytes.Equal(got, data) {
					t.Fatalf("%s: %d bytes of %s: the standard library reads otherwise", name, size, kind)
				}
				if got, err := ours.inflate(nil, wire, 0); err != nil || !bytes.Equal(got, data) {
					t.Fatalf("%s: %d bytes of %s: we read otherwise: %v", name, size, kind, err)
				}
				if z.sent == nil {
					decoded = nil
				}
				far := obey(t, wire, &decoded)
				if far > 1<<z.bits || len(decoded) == 0 {
					t.Fatalf("%s: %d bytes of %s: distance %d", name, size, kind, far)
				}
			}
		}
	}
}

// TestDeflateTakeover: a dictionary makes the second of two like messages much
// smaller; without takeover nothing is kept. One that is not sent deflated leaves no trace.
func TestDeflateTakeover(t *testing.T) {
	data := sample("json", 1000, 1)
	for name, want := range map[string]bool{"bits 15 level 1 dictionary 1024": true, "bits 11 level 5 dictionary 8192": true, "bits 15 level 9 dictionary 8192": true, "bits 15 level 1 dictionary 0": false} {
		z := settingsOf()[name]()
		first, _ := z.compress(nil, nil, data)
		if _, ok := z.compress(nil, nil, sample("noise", 1000, 2)); ok {
			t.Fatalf("%s: noise became smaller", name)
		}
		second, _ := z.compress(nil, data[:1], data[1:])
		if small := len(second) < len(first)/4; small != want || z.stateless() == want {
			t.Errorf("%s: %d bytes, then %d", name, len(first), len(second))
		}
	}
}

// TestDeflateFromStandardLibrary: a peer that compresses with true takeover is
// understood with the window it keeps to.
func TestDeflateFromStandardLibrary(t *testing.T) {
	for _, level := range []int{stdflate.HuffmanOnly, 0, 1, 6, 9} {
		var out bytes.Buffer
		w, err := stdflate.NewWriter(&out, level)
		if err != nil {
			t.Fatal(err)
		}
		z := takingOver()
		for i, size := range sampleSizes {
			data := sample("json", size, uint64(i%4))
			out.Reset()
			_, _ = w.Write(data)
			_ = w.Flush()
			wire := bytes.TrimSuffix(out.Bytes(), syncTail)
			if got, err := z.inflate(nil, wire, uint64(size)); err != nil || !bytes.Equal(got, data) {
				t.Fatalf("level %d, %d bytes: %v", level, size, err)
			}
		}
	}
}

// TestDeflateStreams: streams of either direction, with and without takeover,
// mixed with messages, in any pieces.
func TestDeflateStreams(t *testing.T) {
	for _, name := range []string{"bits 15 level 1 dictionary 0", "bits 15 level 1 dictionary 1024", "bits 9 level 1 dictionary 1024", "bits 8 level 5 dictionary 0", "bits 15 level 5 dictionary 8192"} {
		z := settingsOf()[name]()
		std := &receiver{takeover: z.sent != nil}
		ours := newDeflater(&Deflate{Takeover: z.sent != nil, PeerWindow: 15}, deflateParams{z.sent == nil, z.sent == nil, z.bits, z.bits}, true)
		var decoded []byte
		for i, size := range sampleSizes {
			data := sample([]string{"json", "noise"}[i%2], size, uint64(i))
			var wire bytes.Buffer
			w := z.newWriter(&wire)
			if n, err := io.Copy(w, iotest.HalfReader(bytes.NewReader(data))); n != int64(size) || err != nil {
				t.Fatal(n, err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if got := std.read(t, wire.Bytes(), size); !bytes.Equal(got, data) {
				t.Fatalf("%s: %d bytes: the standard library reads otherwise", name, size)
			}
			if z.sent == nil {
				decoded = nil
			}
			if far := obey(t, wire.Bytes(), &decoded); far > 1<<z.bits {
				t.Fatalf("%s: %d bytes: distance %d", name, size, far)
			}
			if i%3 == 0 { // the message form understands a stream
				if got, err := ours.inflate(nil, wire.Bytes(), 0); err != nil || !bytes.Equal(got, data) {
					t.Fatalf("%s: %d bytes: %v", name, size, err)
				}
				continue
			}
			if err := iotest.TestReader(ours.newReader(bytes.NewReader(wire.Bytes()), uint64(size)), data); err != nil && size < 5000 {
				t.Fatalf("%s: %d bytes: %v", name, size, err)
			}
		}
	}
}

// TestWindow: it keeps the end of what was added, in no more memory than that.
func TestWindow(t *testing.T) {
	for _, limit := range []int{0, 1, 7, 1024} {
		w := window{max: limit}
		var all []byte
		for i, n := range []int{0, 1, 3, 5, 7, 8, 100, 1000, 1024, 1025, 3000, 1, 2} {
			p := sample("noise", n, uint64(i))
			w.add(p)
			all = append(all, p...)
			if !bytes.Equal(w.bytes(), all[max(0, len(all)-limit):]) || cap(w.buf) > limit {
				t.Fatalf("window of %d: %d bytes, capacity %d", limit, len(w.bytes()), cap(w.buf))
			}
		}
	}
}
