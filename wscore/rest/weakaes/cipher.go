package weakaes

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"slices"
)

// What a frame is refused for. Whoever gets one of them should close the
// connection, and tell the peer no more than that.
var (
	// ErrLength: a frame is not two or more whole blocks of 16 bytes.
	ErrLength = errors.New("weakaes: frame of a wrong length")
	// ErrPadding: the key or mode is another than the peer's, or the frame was
	// changed on the way. Not every such frame is found: there is no check but
	// the padding.
	ErrPadding = errors.New("weakaes: wrong padding")
	// ErrEmpty: the frame holds nothing, or Seal was given nothing.
	ErrEmpty = errors.New("weakaes: empty payload")
	// ErrMode: New was given a mode that is none of the constants.
	ErrMode = errors.New("weakaes: unknown mode")
)

// Overhead is the most bytes that Seal adds: the vector and the padding.
const Overhead = 2 * aes.BlockSize

// Cipher seals and opens frames under one key. It is weak, see the package.
// Make one with [New]; it may be used from several goroutines at a time.
type Cipher struct {
	block cipher.Block
	mode  Mode
}

// New returns a Cipher for a key of 16, 24 or 32 bytes, which choose AES-128
// (mORMot's default), AES-192 or AES-256. The key is not kept. Another length
// is an aes.KeySizeError, another mode is [ErrMode].
func New(key []byte, mode Mode) (*Cipher, error) {
	if mode < CTR || mode > CBC {
		return nil, ErrMode
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return &Cipher{block: block, mode: mode}, nil
}

// Seal appends the frame of plain to dst and returns the result, as append
// does. The vector comes from crypto/rand. Neither slice is kept; they must not
// overlap. Empty plain is [ErrEmpty]: no peer would accept its frame.
func (c *Cipher) Seal(dst, plain []byte) ([]byte, error) {
	if len(plain) == 0 {
		return dst, ErrEmpty
	}
	var iv [aes.BlockSize]byte
	_, _ = rand.Read(iv[:]) // never fails: it ends the program first
	return c.seal(dst, plain, iv[:]), nil
}

// seal appends iv and what it makes of plain.
func (c *Cipher) seal(dst, plain, iv []byte) []byte {
	dst = slices.Grow(dst, len(plain)+Overhead)
	dst = append(dst, iv...)
	begin := len(dst)
	dst = appendPadded(dst, plain)
	c.mode.crypt(c.block, iv, dst[begin:], true)
	return dst
}

// appendPadded appends plain and 1 to 16 bytes which hold their number.
// RFC 5652 section 6.3.
func appendPadded(dst, plain []byte) []byte {
	dst = append(dst, plain...)
	n := aes.BlockSize - len(plain)%aes.BlockSize
	for range n {
		dst = append(dst, byte(n))
	}
	return dst
}

// Open appends the payload of a frame to dst and returns the result, as append
// does. The result is never longer than the frame. Neither slice is kept; they
// must not overlap. On error, [ErrLength], [ErrPadding] or [ErrEmpty], the
// result is dst as it was given. That there is no error proves nothing.
func (c *Cipher) Open(dst, frame []byte) ([]byte, error) {
	if len(frame)%aes.BlockSize != 0 || len(frame) < Overhead {
		return dst, ErrLength
	}
	var iv [aes.BlockSize]byte
	copy(iv[:], frame)
	out := append(dst, frame[aes.BlockSize:]...)
	data := out[len(dst):]
	c.mode.crypt(c.block, iv[:], data, false)
	n := int(data[len(data)-1])
	if n < 1 || n > aes.BlockSize {
		return dst, ErrPadding
	}
	for _, b := range data[len(data)-n:] {
		if int(b) != n {
			return dst, ErrPadding
		}
	}
	if n == len(data) {
		return dst, ErrEmpty
	}
	return out[:len(out)-n], nil
}
