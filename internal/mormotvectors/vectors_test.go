package mormotvectors

import "testing"

// Every described content has the hash that the recording says.
func TestExpand(t *testing.T) {
	var f struct {
		Vectors []struct {
			Name, Generator string
			Len             int    `json:"plain_len"`
			Hex             string `json:"plain_hex"`
			SHA256          string `json:"plain_sha256"`
		}
	}
	Load(t, "synlz", &f)
	if len(f.Vectors) < 90 {
		t.Fatalf("%d vectors", len(f.Vectors))
	}
	for _, v := range f.Vectors {
		b := Expand(t, v.Generator, v.Hex)
		if len(b) != v.Len {
			t.Errorf("%s: %d bytes, want %d", v.Name, len(b), v.Len)
		}
		Check(t, v.Name, b, "", v.SHA256)
	}
}
