package nodes

import (
	"encoding/json"
	"testing"

	"github.com/hermod-io/hermod/tests/internal/tagged"
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
	text, err := json.Marshal(tagged.Encode(v))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
