package noise

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/internal/mormotvectors"
)

// The recorded sessions of mORMot's key exchange show why it is refused: the first
// message of each direction is encrypted with the same key stream.
func TestECDHEUsesAKeyStreamTwice(t *testing.T) {
	var f struct {
		Vectors []struct {
			Kind, EF string
			Key      string `json:"aes_key"`
			KM       string `json:"km_initial"`
			ToServer string `json:"c2s_1_hex"`
			Plain    string `json:"c2s_1_plain"`
			ToClient string `json:"s2c_1_hex"`
			Answer   string `json:"s2c_1_plain"`
		}
	}
	mormotvectors.Load(t, "ecdhe", &f)
	sessions := 0
	for _, v := range f.Vectors {
		if v.Kind != "session" || !strings.HasPrefix(v.EF, "efAesCtr") {
			continue
		}
		sessions++
		block, err := aes.NewCipher(mormotvectors.Hex(t, v.Key))
		if err != nil {
			t.Fatal(err)
		}
		for wire, plain := range map[string]string{v.ToServer: v.Plain, v.ToClient: v.Answer} {
			got := mormotvectors.Hex(t, wire)
			got = got[:len(plain)]
			cipher.NewCTR(block, mormotvectors.Hex(t, v.KM)[:16]).XORKeyStream(got, got)
			if !bytes.Equal(got, []byte(plain)) {
				t.Errorf("%s: %q, want %q", v.EF, got, plain)
			}
		}
	}
	if sessions < 4 {
		t.Errorf("%d sessions", sessions)
	}
}
