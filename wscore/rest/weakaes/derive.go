package weakaes

import (
	"crypto/sha256"
	"crypto/sha3"
	"crypto/subtle"
)

// What mORMot gives to [DeriveKey] when nothing else is set.
const (
	DefaultSalt   = "E750ACCA-2C6F-4B0E-999B-D31C9A14EFAB" // the same in all programs, so that it protects nobody
	DefaultRounds = 1024                                   // hashes
)

// DeriveKey makes 32 bytes of key from a pass phrase as mORMot 2 does: a chain
// of SHA3-256 sums, each of the password and the one before, all combined by
// exclusive or. AES-128 takes the first 16 bytes. It is mORMot's own
// derivation, not PBKDF2, and far too quick to protect a short pass phrase.
//
// rounds below 1 panics; mORMot takes 0 for [DeriveSha256Weak]. The time is
// proportional to the rounds: derive once, not per connection. The slices are
// not kept.
func DeriveKey(password, salt []byte, rounds int) [32]byte {
	if rounds < 1 {
		panic("weakaes: DeriveKey without a round")
	}
	buf := make([]byte, 0, len(password)+max(len(salt), 32))
	buf = append(buf, password...)
	u := sha3.Sum256(append(buf, salt...))
	key := u
	for range rounds - 1 {
		u = sha3.Sum256(append(buf, u[:]...))
		subtle.XORBytes(key[:], key[:], u[:])
	}
	return key
}

// DeriveSha256Weak makes 32 bytes of key from a pass phrase as mORMot 1.18
// does, and mORMot 2 with 0 rounds: one SHA-256, without a salt. The name is
// mORMot's and true: a table of common pass phrases opens it. The slice is not
// kept.
func DeriveSha256Weak(password []byte) [32]byte {
	if len(password) >= 256 {
		return sha256.Sum256(password)
	}
	var buf [256]byte
	for i := copy(buf[:], password); i < len(buf); i++ {
		buf[i] = byte(len(password))
	}
	return sha256.Sum256(buf[:])
}
