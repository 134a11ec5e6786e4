package wscore

import (
	"bytes"
	stdflate "compress/flate"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"
	"testing/iotest"
)

// wireOf is what the standard library makes of data.
func wireOf(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := stdflate.NewWriter(&out, 9)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(data)
	_ = w.Flush()
	return bytes.TrimSuffix(out.Bytes(), syncTail)
}

// TestInflateBomb: what a message inflates to is bounded while it is inflated,
// in bytes and in memory.
func TestInflateBomb(t *testing.T) {
	const limit = 1 << 16
	bomb := wireOf(t, make([]byte, 64<<20))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	out, err := inflate(nil, bomb, nil, limit)
	runtime.ReadMemStats(&after)
	if err != errTooBig || len(out) > limit+1 || errTooBig.code != CloseTooBig {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
		t.Errorf("%d bytes of memory for a limit of %d", used, limit)
	}
	n, err := io.Copy(io.Discard, new(deflater).newReader(bytes.NewReader(bomb), limit))
	if n != limit || err != errTooBig {
		t.Errorf("stream: %d bytes, %v", n, err)
	}
	for _, c := range []struct {
		size  int
		limit uint64
		err   error
	}{{limit, limit, nil}, {limit + 1, limit, errTooBig}, {1, 1, nil}, {2, 1, errTooBig}, {0, 1, nil}, {5000, 0, nil}} {
		wire := wireOf(t, make([]byte, c.size))
		if out, err := inflate([]byte("x"), wire, nil, c.limit); !errors.Is(err, c.err) || err == nil && len(out) != 1+c.size {
			t.Errorf("%d bytes with limit %d: %d, %v", c.size, c.limit, len(out), err)
		}
		n, err := io.Copy(io.Discard, new(deflater).newReader(bytes.NewReader(wire), c.limit))
		if !errors.Is(err, c.err) || err == nil && n != int64(c.size) {
			t.Errorf("stream of %d bytes with limit %d: %d, %v", c.size, c.limit, n, err)
		}
	}
	// Final blocks that hold nothing make the decoder start anew, each of them.
	finals := bytes.Repeat([]byte{0x03, 0x00}, 1<<16)
	if _, err := inflate(nil, finals, nil, limit); err != errInflateFinal {
		t.Errorf("a flood of final blocks: %v", err)
	}
	if _, err := io.Copy(io.Discard, new(deflater).newReader(bytes.NewReader(finals), limit)); err != errInflateFinal {
		t.Errorf("stream: a flood of final blocks: %v", err)
	}
}

// TestInflateInvalid: what is no deflate data, or not all of it, is a fault with code 1007.
func TestInflateInvalid(t *testing.T) {
	data := sample("json", 3000, 1)
	good := wireOf(t, data)
	bad := map[string][]byte{
		"empty":                    {},
		"reserved block type":      {0x06},
		"stored length wrong":      {0x00, 0x05, 0x00, 0x05, 0x00},
		"stored cut":               {0x00, 0x09, 0x00, 0xf6, 0xff, 'a'},
		"distance too far":         {0xf2, 0x00, 0x11, 0x00, 0x00},
		"final block cut":          {0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07}, // it would end within the tail
		"garbage behind":           append(bytes.Clone(good), "garbage"...),
		"garbage behind the final": {0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0xff, 0xff},
		"tail not left out":        append(append(bytes.Clone(good), syncTail...), 0xff),
	}
	for n := 1; n < len(good); n++ {
		bad[fmt.Sprint("cut at ", n)] = good[:n]
	}
	for name, wire := range bad {
		if _, err := inflate(nil, wire, nil, 1<<20); err != errInflate {
			t.Errorf("%s (%d bytes): %v", name, len(wire), err)
		}
		if _, err := io.ReadAll(new(deflater).newReader(bytes.NewReader(wire), 1<<20)); err != errInflate {
			t.Errorf("stream: %s (%d bytes): %v", name, len(wire), err)
		}
	}
	if errInflate.code != CloseInvalidPayload {
		t.Error(errInflate.code)
	}
	// After all those faults the pooled decoders work.
	if got, err := inflate(nil, good, nil, 1<<20); err != nil || !bytes.Equal(got, data) {
		t.Error(err)
	}
	lost := errors.New("lost")
	r := new(deflater).newReader(io.MultiReader(bytes.NewReader(good[:100]), iotest.ErrReader(lost)), 0)
	if _, err := io.ReadAll(r); err != lost {
		t.Errorf("a source that fails: %v", err)
	}
}

// TestInflateWindowAcrossFinals: the window reaches over final blocks, back into
// the messages before, in both forms.
func TestInflateWindowAcrossFinals(t *testing.T) {
	past, data := sample("json", 5000, 1), sample("json", 9000, 2)
	var wire bytes.Buffer
	for i := 0; i < len(data); i += 3000 {
		dict := append(bytes.Clone(past), data[:i]...)
		w, err := stdflate.NewWriterDict(&wire, 9, dict)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(data[i : i+3000])
		_ = w.Close()
	}
	for _, end := range []string{"", "\x00"} {
		src := append(wire.Bytes(), end...)
		if got, err := inflate(nil, src, past, 0); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%v, %d bytes", err, len(got))
		}
		z := takingOver()
		z.seen.add(past)
		if got, err := io.ReadAll(z.newReader(iotest.OneByteReader(bytes.NewReader(src)), 0)); err != nil || !bytes.Equal(got, data) {
			t.Errorf("stream: %v, %d bytes", err, len(got))
		}
		if want := append(bytes.Clone(past), data...); !bytes.Equal(z.seen.bytes(), want) {
			t.Error("the stream did not leave the window it should")
		}
	}
}
