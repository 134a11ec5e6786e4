package weakaes

import (
	"bytes"
	"crypto/aes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hermod-io/hermod/internal/mormotvectors"
)

// recorded is one item of crypto.json.
type recorded struct {
	Kind, Mode, Key, IV, Plain, Salt string
	Bits, Rounds                     int
	Password                         string `json:"password_hex"`
	Derived                          string `json:"derived_32"`
	AES128                           string `json:"aes128_key"`
	PlainHex                         string `json:"plain_hex"`
	CipherLen                        int    `json:"cipher_len"`
	CipherHex                        string `json:"cipher_hex"`
	CipherSum                        string `json:"cipher_sha256"`
	Wire                             string `json:"wire_hex"`
	Wire2                            string `json:"wire2_hex"`
}

var modes = map[string]Mode{"ctr": CTR, "cfb": CFB, "ofb": OFB, "cbc": CBC}

// Every item of crypto.json, and at least one of each kind.
func TestRecorded(t *testing.T) {
	var f struct{ Vectors []recorded }
	mormotvectors.Load(t, "crypto", &f)
	seen := map[string]int{}
	for i, v := range f.Vectors {
		seen[v.Kind]++
		t.Run(fmt.Sprint(i, v.Kind, v.Mode, v.Bits, v.Plain), func(t *testing.T) {
			switch v.Kind {
			case "pbkdf2_sha3_256":
				key := DeriveKey(mormotvectors.Hex(t, v.Password), []byte(v.Salt), v.Rounds)
				mormotvectors.Check(t, "key", key[:], v.Derived, "")
				mormotvectors.Check(t, "AES-128 key", key[:16], v.AES128, "")
			case "sha256weak":
				key := DeriveSha256Weak(mormotvectors.Hex(t, v.Password))
				mormotvectors.Check(t, "key", key[:], v.Derived, "")
			case "aes_pkcs7_fixed_iv":
				v.fixed(t)
			case "protocol_aes":
				v.frames(t)
			default:
				t.Fatal("unknown kind")
			}
		})
	}
	for _, kind := range []string{"pbkdf2_sha3_256", "sha256weak", "aes_pkcs7_fixed_iv", "protocol_aes"} {
		if seen[kind] == 0 {
			t.Errorf("no vector of kind %s", kind)
		}
	}
}

func (v recorded) cipher(t *testing.T) *Cipher {
	t.Helper()
	mode, ok := modes[v.Mode]
	if !ok {
		t.Fatalf("unknown mode %q", v.Mode)
	}
	c, err := New(mormotvectors.Hex(t, v.Key), mode)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fixed checks the cipher text under a given vector, and the way back.
func (v recorded) fixed(t *testing.T) {
	plain, iv := mormotvectors.Expand(t, v.Plain, v.PlainHex), mormotvectors.Hex(t, v.IV)
	var got []byte
	if v.Mode == "ecb" { // not offered; its padding is still ours
		block, err := aes.NewCipher(mormotvectors.Hex(t, v.Key))
		if err != nil {
			t.Fatal(err)
		}
		got = appendPadded(nil, plain)
		for b := got; len(b) > 0; b = b[aes.BlockSize:] {
			block.Encrypt(b, b)
		}
	} else {
		frame := v.cipher(t).seal(nil, plain, bytes.Clone(iv))
		v.opens(t, frame, plain)
		if !bytes.Equal(frame[:16], iv) {
			t.Errorf("the frame begins with %x", frame[:16])
		}
		got = frame[16:]
	}
	if len(got) != v.CipherLen {
		t.Errorf("%d bytes, want %d", len(got), v.CipherLen)
	}
	mormotvectors.Check(t, "cipher text", got, v.CipherHex, v.CipherSum)
}

// frames opens both recorded frames, and makes them again with their vectors.
func (v recorded) frames(t *testing.T) {
	plain := mormotvectors.Expand(t, v.Plain, v.PlainHex)
	for _, wire := range []string{v.Wire, v.Wire2} {
		frame := mormotvectors.Hex(t, wire)
		v.opens(t, frame, plain)
		mormotvectors.Check(t, "frame", v.cipher(t).seal(nil, plain, bytes.Clone(frame[:16])), wire, "")
	}
}

func (v recorded) opens(t *testing.T, frame, plain []byte) {
	t.Helper()
	back, err := v.cipher(t).Open([]byte("d"), frame)
	if len(plain) == 0 {
		if !errors.Is(err, ErrEmpty) {
			t.Errorf("an empty payload: %v", err)
		}
		return
	}
	if err != nil || !bytes.Equal(back[1:], plain) || back[0] != 'd' {
		t.Errorf("Open: %x, %v", back, err)
	}
}

// The 128-bit counter of CTR wraps as a whole.
func TestCounterWraps(t *testing.T) {
	c, err := New(bytes.Repeat([]byte{1}, 16), CTR)
	if err != nil {
		t.Fatal(err)
	}
	got := c.seal(nil, make([]byte, 64), bytes.Repeat([]byte{0xff}, 16))[16:80]
	want := "6ad77cdab9adb3bfed21ef94210e121eb6aeaffa752dc08b51639731761aed00" +
		"e431c158177be7de5bf033b17df3977cf3345273269503299835fef307c4919d"
	if hex.EncodeToString(got) != want {
		t.Errorf("got %x", got)
	}
}

// A password of 256 bytes or more is hashed as it is, a shorter one filled up.
func TestSha256WeakLengths(t *testing.T) {
	for n, want := range map[int]string{
		255: "8fadbccea4004c6c65b7cb785a4e30c47cf339f84425fe3011f59825f5806d7e",
		256: "02d7160d77e18c6447be80c2e355c7ed4388545271702c50253b0914c65ce5fe",
	} {
		key := DeriveSha256Weak(bytes.Repeat([]byte{'a'}, n))
		mormotvectors.Check(t, fmt.Sprint("key of ", n), key[:], want, "")
	}
}

func TestOpenRefuses(t *testing.T) {
	r := rand.NewChaCha8([32]byte{1})
	for name, mode := range modes {
		c, err := New(make([]byte, 16), mode)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, 1, 15, 16, 17, 31, 33, 47} {
			if out, err := c.Open([]byte("d"), make([]byte, n)); !errors.Is(err, ErrLength) || string(out) != "d" {
				t.Errorf("%s, %d bytes: %x, %v", name, n, out, err)
			}
		}
		for _, end := range []string{"\x00", "\x11", "\xff", "\x01\x02", "\x02\x03\x03", "\x0f\x10"} {
			plain := make([]byte, 32)
			_, _ = r.Read(plain)
			copy(plain[32-len(end):], end)
			iv := make([]byte, 16)
			frame := append(make([]byte, 16), plain...)
			mode.crypt(c.block, iv, frame[16:], true)
			if out, err := c.Open([]byte("d"), frame); !errors.Is(err, ErrPadding) || string(out) != "d" {
				t.Errorf("%s, padding %x: %x, %v", name, end, out, err)
			}
		}
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(make([]byte, 16), CBC+1); !errors.Is(err, ErrMode) {
		t.Error(err)
	}
	if _, err := New(make([]byte, 16), -1); !errors.Is(err, ErrMode) {
		t.Error(err)
	}
	var size aes.KeySizeError
	if _, err := New(make([]byte, 17), CTR); !errors.As(err, &size) {
		t.Error(err)
	}
}

// Two frames of one payload differ, and nothing is no payload.
func TestSeal(t *testing.T) {
	c, err := New(make([]byte, 32), CTR)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := c.Seal([]byte("d"), []byte("payload"))
	b, _ := c.Seal([]byte("d"), []byte("payload"))
	if len(a) != 1+32 || a[0] != 'd' || bytes.Equal(a, b) {
		t.Errorf("%x, %x", a, b)
	}
	if out, err := c.Seal([]byte("d"), nil); !errors.Is(err, ErrEmpty) || string(out) != "d" {
		t.Errorf("nothing: %x, %v", out, err)
	}
}
