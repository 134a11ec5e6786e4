package rest

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/hermod-io/hermod/internal/mormotvectors"
)

// seeds adds the recorded messages of a protocol.
func seeds(f *testing.F, json bool) {
	var v struct{ Vectors []messageVector }
	mormotvectors.Load(f, "messages", &v)
	for _, m := range v.Vectors {
		if _, ok := m.format().(jsonFormat); ok == json && m.PayloadLen < 1000 {
			r := Request{m.Method, m.URL, m.Headers, m.NoAnswer, m.ContentType, mormotvectors.Expand(f, m.BodyDesc, m.BodyHexText)}
			f.Add(m.format().append(nil, r.message("request"), 4))
			a := Answer{m.Status, m.Headers, m.ContentType, r.Content}
			f.Add(m.format().append(nil, a.message("a00000f"), 2))
		}
	}
}

// roundTrip checks that what was read is written so that it is read again the
// same, as a request or an answer.
func roundTrip(t *testing.T, f format, data []byte) {
	m, err := f.parse(data)
	if err != nil || len(m.head) > maxHead {
		return
	}
	if isRequest(m.head) {
		r := m.request()
		again, err := f.parse(f.append(nil, r.message(m.head), 4))
		if err != nil {
			t.Fatalf("%q: %+v: %v", data, r, err)
		}
		if got := again.request(); got.Method != r.Method || got.URL != r.URL || got.Header != r.Header || got.NoAnswer != r.NoAnswer ||
			!sameType(got.ContentType, r.ContentType, r.Content) || !bytes.Equal(got.Content, r.Content) {
			t.Fatalf("%q: %+v came back as %+v", data, r, got)
		}
		return
	}
	a, err := m.answer()
	if err != nil {
		return
	}
	again, err := f.parse(f.append(nil, a.message(m.head), 2))
	if err != nil {
		t.Fatalf("%q: %+v: %v", data, a, err)
	}
	if got, err := again.answer(); err != nil || got.Status != a.Status || got.Header != a.Header ||
		!sameType(got.ContentType, a.ContentType, a.Content) || !bytes.Equal(got.Content, a.Content) {
		t.Fatalf("%q: %+v came back as %+v, %v", data, a, got, err)
	}
}

// sameType is what the wire keeps of a content type.
func sameType(x, y string, content []byte) bool {
	return x == y || len(content) == 0 || isJSON(x) && isJSON(y)
}

func FuzzJSON(f *testing.F) {
	seeds(f, true)
	f.Add([]byte(` {"r1" : [ null , "\ud800" , "u" , true , "text/plain" , "` + binaryMark + `AAE=" ] } `))
	f.Fuzz(func(t *testing.T, data []byte) {
		if utf8.Valid(data) { // others end the connection before
			roundTrip(t, jsonFormat{}, data)
		}
	})
}

func FuzzBinary(f *testing.F) {
	seeds(f, false)
	f.Fuzz(func(t *testing.T, data []byte) { roundTrip(t, binaryFormat{}, data) })
}

func FuzzJumbo(f *testing.F) {
	f.Add(appendJumbo(nil, [][]byte{[]byte("r000001\x01"), nil, bytes.Repeat([]byte("x"), 200)}))
	f.Add([]byte(jumboHead + "\xff\xff\xff\xff\x0f\x01x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var frames [][]byte
		size := 0
		ok, err := splitJumbo(data, func(i, n int, frame []byte) {
			if i != len(frames) || n > len(data) {
				t.Fatalf("frame %d of %d in %d bytes", i, n, len(data))
			}
			frames = append(frames, frame)
			size += len(frame)
		})
		if size > len(data) {
			t.Fatalf("%d bytes of %d", size, len(data))
		}
		if !ok || err != nil {
			return
		}
		again := appendJumbo(nil, frames)
		i := 0
		if ok, err := splitJumbo(again, func(_, _ int, frame []byte) {
			if !bytes.Equal(frame, frames[i]) {
				t.Fatalf("frame %d: %q, want %q", i, frame, frames[i])
			}
			i++
		}); !ok || err != nil || i != len(frames) {
			t.Fatalf("%q: %v", again, err)
		}
	})
}

// Each end of a message that is cut short is an error, or a message whose content
// is cut.
func TestTruncations(t *testing.T) {
	r := Request{"PUT", "url", "A: b", true, "text/plain", []byte("content")}
	for _, f := range []format{jsonFormat{}, binaryFormat{}} {
		whole := f.append(nil, r.message("request"), 4)
		for n := range whole {
			m, err := f.parse(whole[:n])
			if _, json := f.(jsonFormat); err == nil && (json || m.request().ContentType != r.ContentType && len(m.content) > 0) {
				t.Errorf("%q was read as %+v", whole[:n], m)
			}
		}
	}
	for _, bad := range []string{`{"request":["","u","",0,"",""],"more":1}`, `{"request":["","u","",0,"",""]} {}`, `{"request":["","u","",0]}`,
		`{"request":{"a":["","u","",0,"",""]}}`, `{"re quest":["","u","",0,"",""]}`, `{"requestrequestrequest":["","u","",0,"",""]}`, `["request"]`} {
		if m, err := (jsonFormat{}).parse([]byte(bad)); err == nil {
			t.Errorf("%s was read as %+v", bad, m)
		}
	}
	whole := appendJumbo(nil, [][]byte{[]byte("one"), []byte("two")})
	for n := len(jumboHead); n < len(whole); n++ {
		if ok, err := splitJumbo(whole[:n], func(int, int, []byte) {}); !ok || err == nil {
			t.Errorf("%q: %v %v", whole[:n], ok, err)
		}
	}
}
