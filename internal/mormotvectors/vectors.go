package mormotvectors

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

//go:embed testdata/*.json
var files embed.FS

// Load reads the file of that name, without ".json", into v.
func Load(tb testing.TB, name string, v any) {
	tb.Helper()
	b, err := files.ReadFile("testdata/" + name + ".json")
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
}

// Hex is a hexadecimal string of a file.
func Hex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// Check compares got with what a file says of it: the bytes in hex, or if there
// are none their SHA-256.
func Check(tb testing.TB, what string, got []byte, wantHex, wantSHA256 string) {
	tb.Helper()
	if wantHex != "" || wantSHA256 == "" {
		if hex.EncodeToString(got) != wantHex {
			tb.Errorf("%s: got %.200x, want %.400s", what, got, wantHex)
		}
		return
	}
	if sum := sha256.Sum256(got); hex.EncodeToString(sum[:]) != wantSHA256 {
		tb.Errorf("%s: got %d bytes of another hash, %.64x…", what, len(got), got)
	}
}

// Expand makes the content that desc describes: lcg(seed,n), lorem(n), json(n),
// repeat(hex,n), map(lcg(s,n), 61+(b>>k)), or "hex", whose content is hexContent.
func Expand(tb testing.TB, desc, hexContent string) []byte {
	tb.Helper()
	name, args, _ := strings.Cut(strings.TrimSuffix(desc, ")"), "(")
	switch name {
	case "hex", "":
		return Hex(tb, hexContent)
	case "lcg":
		a := numbers(tb, args)
		return lcg(uint32(a[0]), a[1])
	case "lorem":
		return cycle([]byte("The quick brown fox jumps over the lazy dog. "), numbers(tb, args)[0])
	case "json":
		return jsonItems(numbers(tb, args)[0])
	case "repeat":
		pattern, n, _ := strings.Cut(args, ",")
		return cycle(Hex(tb, pattern), numbers(tb, n)[0])
	case "map":
		return mapped(tb, args)
	}
	tb.Fatalf("unknown content %q", desc)
	return nil
}

func numbers(tb testing.TB, s string) (list []int) {
	tb.Helper()
	for f := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(f))
		if err != nil {
			tb.Fatal(err)
		}
		list = append(list, n)
	}
	return list
}

func lcg(s uint32, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		s = s*1664525 + 1013904223
		b[i] = byte(s >> 24)
	}
	return b
}

func cycle(pattern []byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = pattern[i%len(pattern)]
	}
	return b
}

func jsonItems(n int) []byte {
	b := []byte("[")
	for i := 0; len(b) < n-1; i++ {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"id":%d,"name":"item %d","ok":%v}`, i, 7*i, i%2 == 0)
	}
	return append(b, ']')
}

// mapped is map(lcg(s,n), 61+(b>>k)).
func mapped(tb testing.TB, args string) []byte {
	tb.Helper()
	var seed, n, k int
	if _, err := fmt.Sscanf(strings.ReplaceAll(args, " ", ""), "lcg(%d,%d),61+(b>>%d)", &seed, &n, &k); err != nil {
		tb.Fatalf("map(%s: %v", args, err)
	}
	b := lcg(uint32(seed), n)
	for i := range b {
		b[i] = 0x61 + b[i]>>k
	}
	return b
}
