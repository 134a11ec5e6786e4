package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"

	"github.com/hermod-io/hermod/socketio"
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
		out[i] = restore(v)
	}
	return out, nil
}

// restore replaces {"$bin": base64} by bytes. A date is its text, and undefined
// is null.
func restore(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = restore(v[i])
		}
	case map[string]any:
		if s, ok := v["$bin"].(string); ok {
			b, _ := base64.StdEncoding.DecodeString(s)
			return b
		}
		if s, ok := v["$date"].(string); ok {
			return s
		}
		if v["$undefined"] != nil {
			return nil
		}
		for k := range v {
			v[k] = restore(v[k])
		}
	}
	return v
}

// tagged is the reverse of restore.
func tagged(v any) any {
	switch v := v.(type) {
	case []byte:
		return map[string]string{"$bin": base64.StdEncoding.EncodeToString(v)}
	case []any:
		for i := range v {
			v[i] = tagged(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = tagged(v[k])
		}
	}
	return v
}

// values decodes arguments for an answer.
func values(a socketio.Args) []any {
	out := make([]any, a.Len())
	for i := range out {
		var v any
		if err := a.Decode(i, &v); err != nil {
			v = err.Error()
		}
		out[i] = tagged(v)
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
