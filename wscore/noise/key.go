package noise

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// Key is a key pair of X25519. The zero value is none.
type Key struct {
	Private [32]byte  // secret
	Public  PublicKey // the half that peers are told; of Private, see NewKey
}

// ErrKey is what is said of bytes that are no key.
var ErrKey = errors.New("noise: malformed key")

// GenerateKey returns a fresh key pair.
func GenerateKey() Key {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	k, err := NewKey(b[:])
	if err != nil {
		panic(err) // not with 32 bytes
	}
	return k
}

// NewKey returns the key pair of a private key of 32 bytes; another length is
// [ErrKey]. private is not kept.
func NewKey(private []byte) (Key, error) {
	k, err := ecdh.X25519().NewPrivateKey(private)
	if err != nil {
		return Key{}, ErrKey
	}
	return Key{[32]byte(private), PublicKey(k.PublicKey().Bytes())}, nil
}

// Format implements fmt.Formatter: whatever the verb, the public half is printed and
// the private one is not.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "x25519 "+k.Public.String()) }

// String is the key in hexadecimal, as ParsePublicKey reads it.
func (k PublicKey) String() string { return hex.EncodeToString(k[:]) }

// ParsePublicKey reads the 64 hexadecimal digits of a public key; white space around
// them is passed over. Anything else is [ErrKey].
func ParsePublicKey(s string) (k PublicKey, err error) {
	b, err := hex.DecodeString(strings.TrimSpace(s))
	if err != nil || len(b) != len(k) {
		return k, ErrKey
	}
	return PublicKey(b), nil
}

// keyPrefix begins the only line of a key file.
const keyPrefix = "x25519-private-key "

// WriteKeyFile writes a key pair to a new file that only its owner may read:
// a line with "x25519-private-key " and the private key in hexadecimal. A file that
// is there already is an error (fs.ErrExist), and stays as it is.
func WriteKeyFile(path string, k Key) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(keyPrefix + hex.EncodeToString(k.Private[:]) + "\n")
	if err = errors.Join(err, f.Close()); err != nil {
		err = errors.Join(err, os.Remove(path)) // half a key would be in the way
	}
	return err
}

// LoadKeyFile reads a key pair from a file as WriteKeyFile makes it; other content is
// [ErrKey]. On Unix a file that others may read is refused.
func LoadKeyFile(path string) (Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Key{}, err
	}
	if !info.Mode().IsRegular() { // to open a pipe may wait
		return Key{}, fmt.Errorf("%w: %s is no regular file", ErrKey, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return Key{}, err
	}
	defer func() { _ = f.Close() }()
	if info, err = f.Stat(); err != nil { // of what is read
		return Key{}, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return Key{}, fmt.Errorf("noise: %s may be read by others (%o); make it 600", path, mode)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return Key{}, err
	}
	digits, ok := strings.CutPrefix(strings.TrimSpace(string(b)), keyPrefix)
	private, err := hex.DecodeString(digits)
	if ok && err == nil {
		if k, err := NewKey(private); err == nil {
			return k, nil
		}
	}
	return Key{}, fmt.Errorf("%w: %s", ErrKey, path)
}

// maxKeyFile is how much of a key file is read, in bytes.
const maxKeyFile = 4096
