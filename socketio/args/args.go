package args

import (
	"encoding/json"
	"slices"

	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/parser"
)

// Args are received arguments, of an event or of an ack. They are decoded on
// demand and may be kept; the zero value has none. They are immutable, and safe
// for concurrent use.
type Args struct {
	raw  parser.Args
	json parser.JSON
	skip int // elements before the first argument: 1 for an event's name
}

// New returns the arguments in raw, which must not change any more, without
// the first skip elements (1: the name of an event). j decodes them.
func New(raw parser.Args, j parser.JSON, skip int) Args { return Args{raw, j, skip} }

// Encoded returns all of the encoded form, the name of an event included. It
// must not be changed.
func (a Args) Encoded() parser.Args {
	a.raw.JSON = slices.Clip(a.raw.JSON)
	return a.raw
}

// Memory returns the memory of the text of a, what is behind its end included, for
// those who made a and know that nobody else has it any more.
func Memory(a Args) []byte { return a.raw.JSON[:cap(a.raw.JSON)] }

// Codec returns what decodes the arguments.
func (a Args) Codec() parser.JSON { return a.json }

// Len reports the number of arguments. It reads the whole text.
func (a Args) Len() int { return max(a.raw.Len()-a.skip, 0) }

// Raw returns the JSON text of argument i, or nil if there is none. Binary
// values in it are placeholders. It must not be changed.
func (a Args) Raw(i int) json.RawMessage {
	if i < 0 {
		return nil
	}
	return a.raw.Raw(i + a.skip)
}

// Decode decodes argument i into v, a non-nil pointer. The error is an
// *ArgError: the argument is missing, or cannot be decoded into v.
func (a Args) Decode(i int, v any) error {
	raw := a.Raw(i)
	if raw == nil {
		return &ArgError{Index: i, Err: errMissing}
	}
	return a.decode(i, raw, v)
}

func (a Args) decode(i int, raw []byte, v any) error {
	if err := a.json.Decode(raw, a.raw.Attachments, v); err != nil {
		return &ArgError{Index: i, Err: err}
	}
	return nil
}

// Scan decodes the leading arguments into vs, non-nil pointers. A missing one
// is an *ArgError, surplus ones are ignored, unless the last of vs is an *event.Rest,
// which takes them.
func (a Args) Scan(vs ...any) error {
	if last := len(vs) - 1; last >= 0 {
		if rest, ok := vs[last].(*event.Rest); ok {
			return a.scanRest(vs[:last], rest)
		}
	}
	return a.scan(vs)
}

// scan is Scan without a rest.
func (a Args) scan(vs []any) error {
	if len(vs) == 0 {
		return nil
	}
	done := 0
	for i, raw := range a.raw.All() {
		if i < a.skip {
			continue
		}
		if err := a.decode(done, raw, vs[done]); err != nil {
			return err
		}
		if done++; done == len(vs) {
			return nil
		}
	}
	return &ArgError{Index: done, Err: errMissing}
}

// scanRest is Scan with all arguments behind vs in rest.
func (a Args) scanRest(vs []any, rest *event.Rest) error {
	if err := a.scan(vs); err != nil {
		return err
	}
	values, err := a.values(len(vs))
	if err != nil {
		return err
	}
	*rest = values
	return nil
}

// Values decodes all arguments as the codec decodes into an interface value:
// nil, bool, float64, string, []any, map[string]any and []byte by default.
func (a Args) Values() ([]any, error) { return a.values(0) }

// values decodes all arguments from one on.
func (a *Args) values(from int) ([]any, error) {
	vs, err := a.raw.Values(a.json, a.skip+from)
	if err != nil {
		return nil, &ArgError{Index: from + len(vs), Err: err}
	}
	return vs, nil
}
