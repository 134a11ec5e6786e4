package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"

	"github.com/hermod-io/hermod/socketio"
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
		out[i] = toJSON(v)
	}
	return out
}

// toJSON replaces bytes by {"$bin": base64}.
func toJSON(v any) any {
	switch v := v.(type) {
	case []byte:
		return map[string]string{"$bin": base64.StdEncoding.EncodeToString(v)}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = toJSON(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = toJSON(v[k])
		}
		return out
	}
	return v
}

// fromJSON is the reverse of toJSON.
func fromJSON(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = fromJSON(v[i])
		}
	case map[string]any:
		if s, ok := v["$bin"].(string); ok {
			b, _ := base64.StdEncoding.DecodeString(s)
			return b
		}
		for k := range v {
			v[k] = fromJSON(v[k])
		}
	}
	return v
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
