package noise

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/flynn/noise"

	"github.com/hermod-io/hermod/wscore"
)

// Pattern says who knows whose key, and when a psk is mixed in. Noise protocol
// section 7.5.
type Pattern uint8

// The patterns. The client begins.
const (
	NK     Pattern = iota // the server is authenticated, by a key that the client knows
	XX                    // both are authenticated, by Config.Verify
	NKpsk0                // NK, and nobody without the psk gets an answer
	NKpsk2                // NK, the psk with the answer
	XXpsk0                // XX, and nobody without the psk gets an answer
	XXpsk3                // XX, the psk at the end
)

// Suite is the set of algorithms.
type Suite uint8

// The suites.
const (
	ChaChaPoly Suite = iota // 25519_ChaChaPoly_BLAKE2s
	AESGCM                  // 25519_AESGCM_SHA256
)

// patterns are those of the library, with the place of the psk, or -1.
var patterns = map[Pattern]struct {
	handshake noise.HandshakePattern
	psk       int
	mutual    bool
}{
	NK: {noise.HandshakeNK, -1, false}, NKpsk0: {noise.HandshakeNK, 0, false}, NKpsk2: {noise.HandshakeNK, 2, false},
	XX: {noise.HandshakeXX, -1, true}, XXpsk0: {noise.HandshakeXX, 0, true}, XXpsk3: {noise.HandshakeXX, 3, true},
}

var suites = map[Suite]noise.CipherSuite{
	ChaChaPoly: noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashBLAKE2s),
	AESGCM:     noise.NewCipherSuite(noise.DH25519, noise.CipherAESGCM, noise.HashSHA256),
}

// PublicKey identifies a peer: an X25519 public key.
type PublicKey [32]byte

// Config is one side of a protected protocol.
type Config struct {
	Pattern Pattern // the same on both sides; the zero value is NK
	Suite   Suite   // the same on both sides; the zero value is ChaChaPoly
	// Key is the own key pair: needed by servers, and by clients with XX.
	Key Key
	// PeerKey is the server's key, needed by clients with NK.
	PeerKey PublicKey
	// PSK is the secret of the patterns with psk; 32 random bytes, no password.
	PSK []byte
	// Verify judges the peer's key with XX, which needs it; an error refuses the key.
	// It is called on the connection's goroutine. See Allow.
	Verify func(p *wscore.Process, peer PublicKey) error
	// Prologue must be the same on both sides; for what they should agree on.
	Prologue []byte
	// Timeout bounds the handshake; 0 means 10 s.
	Timeout time.Duration
	// Padding makes the length of each message, less what encryption adds, a multiple of
	// it, in bytes; 0 is none.
	Padding int
}

// Allow is a Config.Verify that accepts the keys listed, and no other
// ([ErrPeerRefused]).
func Allow(keys ...PublicKey) func(*wscore.Process, PublicKey) error {
	return func(_ *wscore.Process, peer PublicKey) error {
		found := 0
		for i := range keys {
			found |= subtle.ConstantTimeCompare(keys[i][:], peer[:])
		}
		if found == 0 {
			return ErrPeerRefused
		}
		return nil
	}
}

// Why a connection is not protected, or no longer. Each is the cause of a
// *wscore.CloseError (1008).
var (
	ErrPeerRefused = errors.New("noise: peer's key refused")             // by Config.Verify, whose error is there, too
	ErrHandshake   = errors.New("noise: handshake failed")               // the keys, secrets or prologues do not fit
	ErrTimeout     = errors.New("noise: handshake not finished in time") // within Config.Timeout
	ErrMessage     = errors.New("noise: message was changed on its way") // or left out, or repeated
)

// ErrNotReady is returned by a send before the handshake is complete.
var ErrNotReady = errors.New("noise: handshake is not complete")

// ErrConfig is what Config.Validate finds, and why a connection whose Config is
// unusable ends.
var ErrConfig = errors.New("noise: bad configuration")

func (c *Config) timeout() time.Duration {
	if c.Timeout <= 0 {
		return 10 * time.Second
	}
	return c.Timeout
}

// Validate reports what a side lacks, as an ErrConfig; client tells which side.
func (c *Config) Validate(client bool) error {
	p, known := patterns[c.Pattern]
	_, knownSuite := suites[c.Suite]
	switch {
	case !known || !knownSuite:
		return errors.Join(ErrConfig, errors.New("unknown pattern or suite"))
	case p.psk >= 0 && len(c.PSK) != 32:
		return errors.Join(ErrConfig, errors.New("the psk is not of 32 bytes"))
	case p.psk < 0 && c.PSK != nil:
		return errors.Join(ErrConfig, errors.New("a psk that the pattern does not use"))
	case (p.mutual || !client) && c.Key == Key{}:
		return errors.Join(ErrConfig, errors.New("no key"))
	case p.mutual && c.Verify == nil:
		return errors.Join(ErrConfig, errors.New("no Verify for the peer's key"))
	case c.Key.Public == PublicKey{} && c.Key != Key{}:
		return errors.Join(ErrConfig, errors.New("a key without its public half; see NewKey"))
	case !p.mutual && client && c.PeerKey == PublicKey{}:
		return errors.Join(ErrConfig, errors.New("no PeerKey"))
	}
	return nil
}

// Format implements fmt.Formatter: it tells what is configured, and no secret.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{noise pattern %d, suite %d, key %v, peer %v, psk %t}", c.Pattern, c.Suite, c.Key, c.PeerKey, c.PSK != nil)
}
