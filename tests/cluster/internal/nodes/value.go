package nodes

import (
	"encoding/base64"
	"encoding/json"
	"testing"
)

// Canon returns JSON text in one form for all texts that JavaScript takes for
// the same value: without spaces, keys in order.
func Canon(t testing.TB, text []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return JSON(t, v)
}

// JSON returns the text of a value in the form of Canon; bytes within are
// {"$bin": base64}.
func JSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(tagged(v))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func tagged(v any) any {
	switch v := v.(type) {
	case []byte:
		return map[string]string{"$bin": base64.StdEncoding.EncodeToString(v)}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = tagged(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = tagged(v[k])
		}
		return out
	}
	return v
}
