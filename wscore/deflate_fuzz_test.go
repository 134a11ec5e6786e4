package wscore

import (
	"bytes"
	stdflate "compress/flate"
	"io"
	"testing"
)

// naiveInflate is inflate by the standard library, without regard for memory.
func naiveInflate(src, dict []byte) (out []byte, err error) {
	in := bytes.NewReader(append(append([]byte(nil), src...), inflateTail...))
	for final := 1; ; final++ {
		got, err := io.ReadAll(stdflate.NewReaderDict(in, append(bytes.Clone(dict), out...)))
		out = append(out, got...)
		switch n := in.Len(); {
		case err != nil:
			return out, err
		case n == 9 || n == 5 || n == 0:
			return out, nil
		case n < 9:
			return out, io.ErrUnexpectedEOF
		case final > 64 && final > (len(src)+len(inflateTail)-n)/64:
			return out, errInflateFinal
		}
	}
}

// FuzzInflate: both forms of ours agree with the standard library about
// every message, and keep to their limit.
func FuzzInflate(f *testing.F) {
	f.Add([]byte("\xf2\x48\xcd\xc9\xc9\x07\x00"), []byte(""))
	f.Add([]byte("\xf2\x00\x11\x00\x00"), []byte("Hello"))
	f.Add([]byte("\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x00\x11\x00\x00"), []byte("x"))
	f.Add([]byte("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x01"), []byte("x"))
	f.Add(bytes.Repeat([]byte{3, 0}, 80), []byte("x"))
	f.Add(wireOf(f, sample("json", 3000, 1)), []byte(`{"id":`))
	f.Fuzz(func(t *testing.T, src, dict []byte) {
		if len(src) > 1<<12 {
			return
		}
		want, wantErr := naiveInflate(src, dict)
		got, err := inflate(nil, src, dict, 0)
		if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
			t.Fatalf("inflate: %d bytes, %v; want %d, %v", len(got), err, len(want), wantErr)
		}
		z := &deflater{seen: &window{max: maxWindow}}
		z.seen.add(dict)
		streamed, streamErr := io.ReadAll(z.newReader(bytes.NewReader(src), 0))
		if streamErr != err || err == nil && !bytes.Equal(streamed, want) {
			t.Fatalf("stream: %d bytes, %v; want %d, %v", len(streamed), streamErr, len(want), err)
		}
		limit := uint64(len(want)/2 + 1)
		if out, err := inflate(nil, src, dict, limit); uint64(len(out)) > limit+1 || err == nil && len(want) > int(limit) {
			t.Fatalf("limit %d: %d bytes, %v", limit, len(out), err)
		}
	})
}

// BenchmarkDeflate is one message of JSON, both ways.
func BenchmarkDeflate(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"200B", 200}, {"1KB", 1024}, {"16KB", 16 << 10}} {
		data := sample("json", size.n, 1)
		for _, name := range []string{"bits 15 level 1 dictionary 0", "bits 15 level 1 dictionary 1024", "bits 9 level 1 dictionary 1024", "bits 15 level 5 dictionary 1024"} {
			z, dst := settingsOf()[name](), make([]byte, 0, 2*size.n)
			b.Run("compress/"+size.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, _ = z.compress(dst, nil, data)
				}
			})
		}
		wire, dst := wireOf(b, data), make([]byte, 0, 2*size.n)
		b.Run("inflate/"+size.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = inflate(dst, wire, nil, 1<<20)
			}
		})
	}
}
