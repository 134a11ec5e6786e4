package main

import (
	"bytes"
	"encoding/json"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/tests/internal/tagged"
)

// received returns arguments so that they can be sent back: as they were
// written, unless there are bytes within.
func received(a socketio.Args) ([]any, error) {
	out := make([]any, a.Len())
	for i := range out {
		raw := a.Raw(i)
		if !bytes.Contains(raw, []byte("_placeholder")) {
			out[i] = raw
			continue
		}
		if err := a.Decode(i, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// recorded returns arguments for the journal and the control interface.
func recorded(a socketio.Args) []any {
	out := make([]any, a.Len())
	for i := range out {
		var v any
		if err := a.Decode(i, &v); err != nil {
			v = "not decoded"
		}
		out[i] = tagged.Encode(v)
	}
	return out
}

// names is a string or a list of strings.
type names []string

// UnmarshalJSON implements json.Unmarshaler.
func (n *names) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*n = names{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(n))
}
