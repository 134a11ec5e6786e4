package synlz

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/hermod-io/hermod/internal/mormotvectors"
)

// recorded is one item of synlz.json.
type recorded struct {
	Name, Generator string
	PlainHex        string `json:"plain_hex"`
	PlainSum        string `json:"plain_sha256"`
	CRC             string `json:"crc32c_plain"`
	RawLen          int    `json:"raw_len"`
	RawHex          string `json:"raw_hex"`
	RawSum          string `json:"raw_sha256"`
	F0Len           int    `json:"framed_trigger0_len"`
	F0Hex           string `json:"framed_trigger0_hex"`
	F0Sum           string `json:"framed_trigger0_sha256"`
	F450Len         int    `json:"framed_trigger450_len"`
	F450Hex         string `json:"framed_trigger450_hex"`
	F450Sum         string `json:"framed_trigger450_sha256"`
}

func recordings(tb testing.TB) []recorded {
	var f struct{ Vectors []recorded }
	mormotvectors.Load(tb, "synlz", &f)
	if len(f.Vectors) < 90 {
		tb.Fatalf("only %d vectors", len(f.Vectors))
	}
	return f.Vectors
}

// same compares with the recorded length, SHA-256 and, where they are kept,
// bytes.
func same(t *testing.T, what string, got []byte, n int, hex, sum string) {
	t.Helper()
	if len(got) != n {
		t.Errorf("%s: %d bytes, want %d", what, len(got), n)
	}
	if hex != "" {
		mormotvectors.Check(t, what, got, hex, "")
	}
	mormotvectors.Check(t, what, got, "", sum)
}

// Every recorded input gives the recorded bytes, raw and in both containers,
// and comes back from them.
func TestRecorded(t *testing.T) {
	for _, v := range recordings(t) {
		t.Run(v.Name, func(t *testing.T) {
			plain := mormotvectors.Expand(t, v.Generator, v.PlainHex)
			if got := fmt.Sprintf("%08x", Checksum(plain)); got != v.CRC {
				t.Errorf("checksum %s, want %s", got, v.CRC)
			}
			raw := Compress(nil, plain)
			same(t, "raw", raw, v.RawLen, v.RawHex, v.RawSum)
			back, err := Decompress(nil, raw, len(plain))
			if err != nil || !bytes.Equal(back, plain) {
				t.Errorf("Decompress: %d bytes, %v", len(back), err)
			}
			for threshold, check := range map[int]func(string, []byte){
				0:                func(s string, b []byte) { same(t, s, b, v.F0Len, v.F0Hex, v.F0Sum) },
				DefaultThreshold: func(s string, b []byte) { same(t, s, b, v.F450Len, v.F450Hex, v.F450Sum) },
			} {
				framed := Encode([]byte("before"), plain, threshold)[len("before"):]
				check(fmt.Sprint("container, threshold ", threshold), framed)
				back, err := Decode([]byte("x"), framed, len(plain))
				if err != nil || !bytes.Equal(back[1:], plain) {
					t.Errorf("Decode, threshold %d: %d bytes, %v", threshold, len(back), err)
				}
			}
		})
	}
}

func TestRecordedChecksums(t *testing.T) {
	var f struct {
		Vectors []struct {
			Input     string
			Hex       string `json:"input_hex"`
			Len, Init int
			CRC       string `json:"crc32c"`
		}
	}
	mormotvectors.Load(t, "crc32c", &f)
	if len(f.Vectors) < 7 {
		t.Fatalf("only %d vectors", len(f.Vectors))
	}
	for _, v := range f.Vectors {
		in := mormotvectors.Expand(t, v.Input, v.Hex)
		if got := fmt.Sprintf("%08x", Checksum(in)); got != v.CRC || len(in) != v.Len || v.Init != 0 {
			t.Errorf("%s: %s of %d bytes, want %s of %d", v.Input, got, len(in), v.CRC, v.Len)
		}
	}
}

func code(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

func TestDecompressRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		in    string
		limit int
		want  Code
	}{
		"nothing":              {"", 9, Truncated},
		"half a size":          {"\x01", 9, Truncated},
		"half a long size":     {"\x01\x80\x01", math.MaxInt, Truncated},
		"above the limit":      {"\x03\x00\x00\x00\x00\x00abc", 2, TooLarge},
		"2 GB":                 {"\xff\xff\xff\xff", 1 << 20, TooLarge},
		"2 GB, allowed":        {"\xff\xff\xff\xff\x00\x00\x00\x00a", math.MaxInt, WrongLength},
		"size alone":           {"\x03\x00", 9, WrongLength},
		"half a control word":  {"\x03\x00\x00\x00", 9, Truncated},
		"too few":              {"\x04\x00\x00\x00\x00\x00abc", 9, WrongLength},
		"too many":             {"\x02\x00\x00\x00\x00\x00abc", 9, WrongLength},
		"unset slot":           {"\x09\x00\x01\x00\x00\x00\x01\x00", 9, BadSlot},
		"half a match":         {"\x09\x00\x01\x00\x00\x00\x01", 9, Truncated},
		"match without length": {"\x12\x00\x08\x00\x00\x00abc\x70\x45", 99, Truncated},
		"match above the size": {"\x09\x00\x10\x00\x00\x00abca\x7c\x45", 99, WrongLength},
		"data after an empty":  {"\x00\x00\x00\x00\x00\x00a", 9, WrongLength},
	} {
		out, err := Decompress([]byte("d"), []byte(c.in), c.limit)
		if code(err) != c.want || string(out) != "d" {
			t.Errorf("%s: %q, %v, want %v", name, out, err, c.want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := string(Encode(nil, []byte("hello hello hello hello!"), 0))
	kept := string(Encode(nil, []byte("hello"), NoCompression))
	for name, c := range map[string]struct {
		in    string
		limit int
		want  Code
	}{
		"header alone":        {good[:9], 99, Truncated},
		"one byte":            {"a", 99, Truncated},
		"cut short":           {good[:len(good)-1], 99, BadChecksum},
		"a byte more":         {good + "a", 99, BadChecksum},
		"other algorithm":     {good[:4] + "\x02" + good[5:], 99, BadAlgorithm},
		"wrong plain sum":     {"0000" + good[4:], 99, BadChecksum},
		"wrong body sum":      {good[:5] + "0000" + good[9:], 99, BadChecksum},
		"above the limit":     {good, 23, TooLarge},
		"stored, above":       {kept, 4, TooLarge},
		"stored, wrong sum":   {"0000" + kept[4:], 99, BadChecksum},
		"compressed as kept":  {good[:4] + "\x00" + good[5:], 99, BadChecksum},
		"kept as compressed":  {kept[:4] + "\x01" + kept[5:], 1 << 20, Truncated},
		"nothing, no refusal": {"", 0, 0},
	} {
		out, err := Decode([]byte("d"), []byte(c.in), c.limit)
		if code(err) != c.want || string(out) != "d" {
			t.Errorf("%s: %q, %v, want %v", name, out, err, c.want)
		}
	}
	if out, err := Decode(nil, []byte(good), 24); err != nil || string(out) != "hello hello hello hello!" {
		t.Errorf("just below the limit: %q, %v", out, err)
	}
}

// A few bytes that declare a lot do not make the decoder allocate it.
func TestDeclaredSizeCostsNothing(t *testing.T) {
	in := []byte("\xff\xff\xff\x7f\x00\x00\x00\x00a")
	r := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Decompress(nil, in, math.MaxInt); code(err) != WrongLength {
				b.Fatal(err)
			}
		}
	})
	if r.AllocedBytesPerOp() > 64<<10 {
		t.Errorf("%d bytes allocated", r.AllocedBytesPerOp())
	}
}

func TestErrorText(t *testing.T) {
	for c := Truncated; c <= WrongLength; c++ {
		if c.String() == Code(0).String() {
			t.Errorf("code %d has no text", c)
		}
	}
	if s := fault(BadSlot).Error(); s != "synlz: match of an unset slot" {
		t.Error(s)
	}
}
