package wscore

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// takingOver is a deflater with full windows both ways.
func takingOver() *deflater {
	return newDeflater(&Deflate{Takeover: true, Dictionary: 8192, PeerWindow: 15}, deflateParams{serverBits: 15, clientBits: 15}, false)
}

// TestDeflateExamples are the examples of RFC 7692 section 7.2.3.
func TestDeflateExamples(t *testing.T) {
	for _, c := range []struct{ name, wire, want string }{
		{"7.2.3.1 one compressed block", "f2 48 cd c9 c9 07 00", "Hello"},
		{"7.2.3.3 stored block", "00 05 00 fa ff 48 65 6c 6c 6f 00", "Hello"},
		{"7.2.3.4 final block", "f3 48 cd c9 c9 07 00 00", "Hello"},
		{"7.2.3.5 two blocks", "f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "Hello"},
		{"7.2.3.6 empty message", "00", ""},
		{"empty fixed block first", "02 00", ""},
		{"final without the empty block", "f3 48 cd c9 c9 07 00", "Hello"},
		{"final in the middle", "f3 48 cd c9 c9 07 00 f2 48 cd c9 c9 07 00", "HelloHello"},
		{"window kept over a final block", "f3 48 cd c9 c9 07 00 f2 00 11 00 00", "HelloHello"},
		{"final empty stored block", "f2 48 cd c9 c9 07 00 00 00 ff ff 01", "Hello"},
	} {
		got, err := inflate([]byte("x"), unhex(t, c.wire), nil, 0)
		if err != nil || string(got) != "x"+c.want {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
	z := takingOver()
	for _, wire := range []string{"f2 48 cd c9 c9 07 00", "f2 00 11 00 00"} { // 7.2.3.2
		if got, err := z.inflate(nil, unhex(t, wire), 0); err != nil || string(got) != "Hello" {
			t.Errorf("7.2.3.2 shared window: %s: %q, %v", wire, got, err)
		}
	}
	z = newDeflater(new(Deflate), deflateParams{true, true, 15, 15}, false)
	if _, err := z.inflate(nil, unhex(t, "f2 00 11 00 00"), 0); err != errInflate {
		t.Errorf("without takeover a reference to the message before: %v", err)
	}
	var out bytes.Buffer
	if err := z.newWriter(&out).Close(); err != nil || out.String() != "\x00" {
		t.Errorf("empty message compressed: %x, %v", out.Bytes(), err)
	}
}
