package parser

import (
	"bytes"
	"reflect"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// DefaultJSON returns the codec that is used unless another is set. It is
// github.com/go-json-experiment/json with the habits of JSON.stringify, and a
// shorter way for values that need no reflection (docs/adr/0001-json-codec.md).
//
// Encoding: compact; no escapes for HTML or U+2028; NaN and infinities become
// null, -0 becomes 0; a byte that is not UTF-8 becomes U+FFFD, and so do the three
// of a surrogate in the manner of WTF-8 (one without its partner is sent as its
// escape, "\ud800", in a json.RawMessage); keys of maps are sorted; a
// nil slice is [], a nil map is {}, a nil []byte, pointer or interface is null;
// json.RawMessage and jsontext.Value are checked and stripped of white space
// and otherwise kept byte for byte; byte slices of any type without a
// marshaling method of its own become attachments, byte arrays base64; a
// time.Duration is its nanoseconds. Struct tags, time.Time and marshaling methods
// are honoured as the library does: omitempty leaves out what is encoded as null,
// "", [] or {}.
//
// Decoding: an escaped surrogate without its partner becomes U+FFFD (the raw text
// keeps it); member names match exactly; unknown members are ignored; the last
// of members with the same name counts; integers are exact; an interface value
// gets nil, bool, float64, string, []any, map[string]any, or the []byte of a
// placeholder; what it held before is replaced, unless that is a pointer, which
// is decoded into. Only the form {"_placeholder":true,"num":i} that Append and the
// Decoder write is taken for a placeholder, and only if there are attachments.
func DefaultJSON() JSON {
	c := new(codec)
	c.encoders.New = func() any { return newEncodeState(c) }
	c.decoders.New = func() any { return newDecodeState() }
	c.plainEncode = []json.Options{encodeOptions()}
	c.plainDecode = []json.Options{decodeOptions()}
	return c
}

// codec is the default JSON. Its maps and pools are shared by all who use it.
type codec struct {
	plainEncode, plainDecode []json.Options
	encoders, decoders       sync.Pool // *encodeState, *decodeState
	encodeClass, decodeClass sync.Map  // reflect.Type → class
}

func encodeOptions() json.Options {
	return json.JoinOptions(
		jsontext.AllowDuplicateNames(true),
		jsontext.AllowInvalidUTF8(true),
		jsontext.PreserveRawStrings(true),
		json.Deterministic(true),
	)
}

func decodeOptions() json.Options {
	return json.JoinOptions(
		jsontext.AllowDuplicateNames(true),
		jsontext.AllowInvalidUTF8(true),
	)
}

// maxScratch is the largest buffer that is kept for the next use.
const maxScratch = 64 << 10

// encodeState is what one call of the library needs. The functions among its
// options append to att.
type encodeState struct {
	codec          *codec
	buf            bytes.Buffer
	att            [][]byte
	scratch        []byte // for the value of an interface
	depth          int    // of the value within the one that is appended
	exact, special []json.Options
}

// decodeState is its counterpart; att is what placeholders refer to.
type decodeState struct {
	att            [][]byte
	exact, special []json.Options
}

// libraryAppend encodes v with the library.
func (c *codec) libraryAppend(dst []byte, att [][]byte, v any, depth int) ([]byte, [][]byte, error) {
	if depth >= maxDepth {
		return dst, att, errTooDeep
	}
	s := c.encoders.Get().(*encodeState)
	s.buf, s.att, s.depth = *bytes.NewBuffer(dst), att, depth
	opts := c.plainEncode
	if v != nil {
		switch c.encodeClassOf(reflect.TypeOf(v)) {
		case classExact:
			opts = s.exact
		case classSpecial:
			opts = s.special
		}
	}
	err := json.MarshalWrite(&s.buf, v, opts...)
	out, outAtt := s.buf.Bytes(), s.att
	s.buf, s.att = bytes.Buffer{}, nil
	if cap(s.scratch) > maxScratch {
		s.scratch = nil
	}
	c.encoders.Put(s)
	if err != nil {
		return dst, att, err
	}
	return validText(out, len(dst)), outAtt, nil
}

// libraryDecode decodes raw with the library.
func (c *codec) libraryDecode(raw []byte, att [][]byte, v any) error {
	class := classPlain
	if v != nil {
		class = c.decodeClassOf(reflect.TypeOf(v))
	}
	if class == classPlain {
		return json.Unmarshal(raw, v, c.plainDecode...)
	}
	s := c.decoders.Get().(*decodeState)
	s.att = att
	opts := s.exact
	if class == classSpecial {
		opts = s.special
	}
	err := json.Unmarshal(raw, v, opts...)
	s.att = nil
	c.decoders.Put(s)
	return err
}
