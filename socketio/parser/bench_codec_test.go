package parser

import (
	"bytes"
	stdjson "encoding/json"
	"testing"

	"github.com/go-json-experiment/json"
)

// The codec beside the library it is built on (with its options, without its
// functions for binary values and floats) and the standard one, for
// docs/adr/0001-json-codec.md.
func BenchmarkCodecs(b *testing.B) {
	c := DefaultJSON().(*codec)
	for _, v := range []struct {
		name string
		in   any
		out  func() any
	}{
		{"string64", "The Analytical Engine weaves algebraical patterns just as looms.", func() any { return new(string) }},
		{"any200B", benchAny(), func() any { return new(any) }},
		{"struct200B", bigFlat, func() any { return newLike(bigFlat) }},
		{"struct-any200B", struct{ Data any }{benchAny()}, func() any { return new(struct{ Data any }) }},
	} {
		text, _, err := c.Append(nil, nil, v.in)
		if err != nil {
			b.Fatal(err)
		}
		buf := make([]byte, 0, 1024)
		run := func(name string, f func() error) {
			b.Run(v.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := f(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		run("append/own", func() error { _, _, err := c.Append(buf, nil, v.in); return err })
		run("append/library", func() error {
			return json.MarshalWrite(bytes.NewBuffer(buf), v.in, c.plainEncode...)
		})
		run("append/std", func() error { _, err := stdjson.Marshal(v.in); return err })
		run("decode/own", func() error { return c.Decode(text, nil, v.out()) })
		run("decode/library", func() error { return json.Unmarshal(text, v.out(), c.plainDecode...) })
		run("decode/std", func() error { return stdjson.Unmarshal(text, v.out()) })
	}
}

// benchAny is a value of about 200 bytes without structs.
func benchAny() any {
	return map[string]any{
		"id": 1234567890.0, "seq": 42.0, "name": "Ada Lovelace", "room": "the analytical engine", "active": true, "tags": []any{"first", "second"},
		"text": "The Analytical Engine weaves algebraical patterns just as the Jacquard loom weaves flowers.",
	}
}
