package main

import (
	"bytes"
	"encoding/json"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/tests/internal/tagged"
)

// decode returns the values of a request: JSON text as it is, unless something
// in it stands for what JSON does not have.
func decode(list []json.RawMessage) ([]any, error) {
	out := make([]any, len(list))
	for i, text := range list {
		if !bytes.Contains(text, []byte(`"$`)) {
			out[i] = text
			continue
		}
		var v any
		if err := json.Unmarshal(text, &v); err != nil {
			return nil, err
		}
		out[i] = tagged.Decode(v)
	}
	return out, nil
}

// values decodes arguments for an answer.
func values(a socketio.Args) []any {
	out := make([]any, a.Len())
	for i := range out {
		var v any
		if err := a.Decode(i, &v); err != nil {
			v = err.Error()
		}
		out[i] = tagged.Encode(v)
	}
	return out
}

// first is the first of arguments, as far as there is one.
func first(a socketio.Args) any {
	if a.Len() == 0 {
		return nil
	}
	return values(a)[0]
}
