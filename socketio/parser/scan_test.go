package parser

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// oddBytes agrees with plain about every byte at every place, whatever is
// beside it.
func TestOddBytes(t *testing.T) {
	lowest := func(s []byte) int { return bits.TrailingZeros64(oddBytes(binary.LittleEndian.Uint64(s))) / 8 }
	for at := range 8 {
		for c := range 256 {
			for _, other := range []byte{' ', '!', '#', '[', ']', '~', 0x7f, 0x80, 0xa2, 0xdc, 0xff} {
				s := bytes.Repeat([]byte{other}, 8)
				s[at] = byte(c)
				want := 8
				if !plain(byte(c)) {
					want = at
				}
				if got := lowest(s); got != want {
					t.Errorf("%q: %d, want %d", s, got, want)
				}
				for _, behind := range []byte{0, '"', '\\', 0x80, 0xff} {
					if at == 7 || want == 8 {
						continue
					}
					s[7] = behind
					if got := lowest(s); got != want {
						t.Errorf("%q: %d, want %d", s, got, want)
					}
					s[7] = other
				}
			}
		}
	}
}

// plainASCII agrees with plain, byte for byte, wherever a byte is.
func TestPlainASCII(t *testing.T) {
	for n := range 18 {
		s := bytes.Repeat([]byte{'x'}, n)
		if !plainASCII(s) {
			t.Errorf("%q is plain", s)
		}
		for at := range n {
			for c := range 256 {
				s[at] = byte(c)
				if got, want := plainASCII(s), plain(byte(c)) && c < 0x80; got != want {
					t.Errorf("%q: %v, want %v", s, got, want)
				}
			}
			s[at] = 'x'
		}
	}
}

// A string is decoded alike whatever it is decoded into, and what is none is none.
func TestStringIntoAny(t *testing.T) {
	for text, want := range map[string]string{
		`""`: "", `"a"`: "a", `"twelve bytes"`: "twelve bytes", `"Zoë and \u0041"`: "Zoë and A", `"\""`: `"`, "\"a\xffb\"": "a\ufffdb",
	} {
		var s string
		var v any
		if err := DefaultJSON().Decode([]byte(text), nil, &s); err != nil || s != want {
			t.Errorf("%s into a string: %q, %v", text, s, err)
		}
		if err := DefaultJSON().Decode([]byte(text), nil, &v); err != nil || v != want {
			t.Errorf("%s into any: %q, %v", text, v, err)
		}
	}
	for _, text := range []string{`"`, `"a`, `"a"b"`, `"a\"`, "\"a\nb\"", `a"`} {
		var s string
		var v any
		if err := DefaultJSON().Decode([]byte(text), nil, &s); err == nil {
			t.Errorf("%s is no string, but %q", text, s)
		}
		if err := DefaultJSON().Decode([]byte(text), nil, &v); err == nil {
			t.Errorf("%s is nothing, but %q", text, v)
		}
	}
}

// shortFloat agrees with strconv to the last bit.
func TestShortFloat(t *testing.T) {
	check := func(text string) {
		t.Helper()
		want, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := shortFloat([]byte(text))
		if ok && math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
		if digits := len(strings.Trim(text, "-")) - strings.Count(text, "."); ok != (digits <= 15 && !strings.ContainsAny(text, "eE")) {
			t.Errorf("%s: taken %v", text, ok)
		}
	}
	for _, text := range []string{"0", "-0", "0.0", "-0.0", "0.1", "-0.3", "1.005", "0.00000000000001", "0.000000000000001", "999999999999999", "9007199254740993", "1e3", "1.5E-7", "0.30000000000000004"} {
		check(text)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		digits := strconv.FormatInt(r.Int64N(1e16), 10)
		check(digits)
		point := r.IntN(len(digits))
		check("-" + cmp.Or(digits[:point], "0") + "." + digits[point:])
	}
}

// What maps are called is not kept in the pool, and large ones have no room there.
func TestNamesPool(t *testing.T) {
	large := map[string]any{}
	for i := range 2 * maxNames {
		large[strconv.Itoa(i)] = map[string]any{"a": i, "b": i}
	}
	for _, v := range []map[string]any{{"a": map[string]any{"b": 1}}, large} {
		if _, _, err := DefaultJSON().Append(nil, nil, v); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		names := *namesPool.Get().(*[]string)
		if cap(names) > maxNames {
			t.Errorf("room for %d names was kept", cap(names))
		}
		for _, s := range names[:cap(names)] {
			if s != "" {
				t.Errorf("%q was kept", s)
			}
		}
	}
}
