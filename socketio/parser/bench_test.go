package parser

import "testing"

var (
	sampleFlat = flat{ID: 1234567, Name: "Ada Lovelace", Room: "the analytical engine", Active: true, Score: 12.5}
	sampleMap  = map[string]any{"id": 1234567, "name": "Ada Lovelace", "room": "the analytical engine", "active": true, "score": 12.5, "tags": []any{"a", "b"}}
	bigFlat    = struct {
		ID, Seq             int64
		Name, Room, Text    string
		Active, Seen, Muted bool
	}{1234567890, 42, "Ada Lovelace", "the analytical engine", "The Analytical Engine weaves algebraical patterns just as the Jacquard loom weaves flowers.", true, false, true}
)

// order is an object of about a kilobyte.
var order = func() map[string]any {
	items := make([]any, 6)
	for i := range items {
		items[i] = map[string]any{"amount": 1000.25 + float64(i), "currency": "EUR", "id": "item-1", "paid": i%2 == 0, "tags": []any{"one", "two", "three"}, "title": "A thing that somebody bought"}
	}
	return map[string]any{"customer": sampleMap, "items": items, "version": 3}
}()

func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct {
		name string
		v    any
	}{
		{"string64", "The Analytical Engine weaves algebraical patterns just as looms."},
		{"struct", sampleFlat}, {"struct200B", bigFlat}, {"struct200B-pointer", &bigFlat}, {"map", sampleMap}, {"map1KB", order}, {"bytes", make([]byte, 1024)},
		{"file", file{"engine.png", make([]byte, 1024)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			j := DefaultJSON()
			buf, att := make([]byte, 0, 1024), make([][]byte, 0, 4)
			for b.Loop() {
				if _, _, err := j.Append(buf, att, c.v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// newLike returns a pointer to a new zero value of the type of v.
func newLike[T any](T) *T { return new(T) }

func BenchmarkDecodeValue(b *testing.B) {
	j := DefaultJSON()
	encoded := func(v any) []byte {
		text, _, err := j.Append(nil, nil, v)
		if err != nil {
			b.Fatal(err)
		}
		return text
	}
	run := func(name string, raw []byte, att [][]byte, v func() any) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				if err := j.Decode(raw, att, v()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	var s string
	run("string64", encoded("The Analytical Engine weaves algebraical patterns just as looms."), nil, func() any { return &s })
	run("struct", encoded(sampleFlat), nil, func() any { return new(flat) })
	run("struct200B", encoded(bigFlat), nil, func() any { return newLike(bigFlat) })
	run("any", encoded(sampleMap), nil, func() any { return new(any) })
	run("any1KB", encoded(order), nil, func() any { return new(any) })
	run("file", []byte(`{"name":"engine.png","data":{"_placeholder":true,"num":0}}`), [][]byte{make([]byte, 1024)}, func() any { return new(file) })
}

func BenchmarkDecodePacket(b *testing.B) {
	for _, c := range []struct{ name, header string }{
		{"event64", `217["message","The Analytical Engine weaves algebraical patterns just as looms."]`},
		{"event200B", `2/chat,["message",{"id":1234567890,"seq":42,"name":"Ada Lovelace","room":"the analytical engine","text":"The Analytical Engine weaves algebraical patterns just as the Jacquard loom weaves flowers.","active":true}]`},
		{"ack", `317[true]`},
		{"unicode", `2["message","Die Maschine webt algebraische Muster wie der Jacquard-Webstuhl Blüten und Blätter – ähnlich schön."]`},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.header)))
			d := Default().NewDecoder(Limits{})
			data := []byte(c.header)
			for b.Loop() {
				if _, ok, err := d.Decode(false, data); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
	b.Run("binary1KB", func(b *testing.B) {
		b.ReportAllocs()
		d := Default().NewDecoder(Limits{})
		header, data := []byte(`51-["message",{"_placeholder":true,"num":0}]`), make([]byte, 1024)
		for b.Loop() {
			if _, _, err := d.Decode(false, header); err != nil {
				b.Fatal(err)
			}
			if _, ok, err := d.Decode(true, data); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
}

func BenchmarkAppendPacket(b *testing.B) {
	b.ReportAllocs()
	j := DefaultJSON()
	buf := make([]byte, 0, 1024)
	for b.Loop() {
		text, att, err := AppendEvent(j, buf, nil, "message", "The Analytical Engine weaves algebraical patterns just as looms.")
		if err != nil {
			b.Fatal(err)
		}
		p := Packet{Type: Event, Namespace: "/chat", Args: Args{JSON: text, Attachments: att}}
		Default().AppendPacket(text[len(text):], &p)
	}
}

func BenchmarkEventName(b *testing.B) {
	b.ReportAllocs()
	a := Args{JSON: []byte(`["message","The Analytical Engine weaves algebraical patterns just as looms."]`)}
	for b.Loop() {
		if _, ok := a.EventName(); !ok {
			b.Fatal("no name")
		}
	}
}

// BenchmarkMsgpack is beside BenchmarkDecodePacket and BenchmarkTextPacket.
func BenchmarkMsgpack(b *testing.B) { benchParser(b, MsgPack()) }

func BenchmarkTextPacket(b *testing.B) { benchParser(b, Default()) }

func benchParser(b *testing.B, enc Parser) {
	for _, c := range []struct {
		name, text string
		att        [][]byte
	}{
		{"event64", `["message","The Analytical Engine weaves algebraical patterns just as looms."]`, nil},
		{"event200B", `["message",{"id":1234567890,"seq":42,"name":"Ada Lovelace","room":"the analytical engine","text":"The Analytical Engine weaves algebraical patterns just as the Jacquard loom weaves flowers.","active":true}]`, nil},
		{"unicode", `["message","Die Maschine webt algebraische Muster wie der Jacquard-Webstuhl Blüten und Blätter – ähnlich schön."]`, nil},
		{"binary1KB", `["message",{"_placeholder":true,"num":0}]`, [][]byte{make([]byte, 1024)}},
	} {
		p := Packet{Type: Event, Namespace: "/chat", ID: 17, HasID: true, Args: Args{JSON: []byte(c.text), Attachments: c.att}}
		msg, binary, rest := enc.AppendPacket(nil, &p)
		b.Run("append/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, 2048)
			for b.Loop() {
				enc.AppendPacket(buf, &p)
			}
		})
		b.Run("decode/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			d := enc.NewDecoder(Limits{})
			for b.Loop() {
				_, _, err := d.Decode(binary, msg)
				for _, a := range rest {
					_, _, err = d.Decode(true, a)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
