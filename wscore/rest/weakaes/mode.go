package weakaes

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"strconv"
)

// Mode is a mode of operation of AES. Both ends must use the same; nothing on
// the wire tells which. The zero value is CTR, mORMot's default.
type Mode int

// The modes that mORMot offers for frames. All are without authentication.
// Its ECB is left out: there the vector would have no effect.
const (
	// CTR counts a 128-bit big-endian number up from the vector; it wraps as
	// a whole.
	CTR Mode = iota
	// CFB feeds the cipher text of a block into the next, 128 bits at a time.
	CFB
	// OFB feeds the key stream into itself.
	OFB
	// CBC chains the blocks.
	CBC
)

// String returns the usual short name.
func (m Mode) String() string {
	switch m {
	case CTR:
		return "CTR"
	case CFB:
		return "CFB"
	case OFB:
		return "OFB"
	case CBC:
		return "CBC"
	}
	return "Mode(" + strconv.Itoa(int(m)) + ")"
}

// crypt turns data, whole blocks, into its other form in place. iv is used up.
func (m Mode) crypt(block cipher.Block, iv, data []byte, encrypt bool) {
	switch {
	case m == CTR:
		cipher.NewCTR(block, iv).XORKeyStream(data, data)
	case m == CBC && encrypt:
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, data)
	case m == CBC:
		cipher.NewCBCDecrypter(block, iv).CryptBlocks(data, data)
	case m == CFB:
		cfb(block, iv, data, encrypt)
	case m == OFB:
		ofb(block, iv, data)
	}
}

func cfb(block cipher.Block, iv, data []byte, encrypt bool) {
	var next [aes.BlockSize]byte
	for ; len(data) > 0; data = data[aes.BlockSize:] {
		b := data[:aes.BlockSize]
		copy(next[:], b)
		block.Encrypt(iv, iv)
		subtle.XORBytes(b, b, iv)
		if encrypt {
			copy(next[:], b)
		}
		copy(iv, next[:])
	}
}

func ofb(block cipher.Block, iv, data []byte) {
	for ; len(data) > 0; data = data[aes.BlockSize:] {
		block.Encrypt(iv, iv)
		subtle.XORBytes(data[:aes.BlockSize], data[:aes.BlockSize], iv)
	}
}
