package synlz

import "encoding/binary"

// slots is how many positions both ends remember, one for each hash.
const slots = 1 << 12

// Of the tokens: a match with a nibble is 3 to 17 bytes long, one with a third
// byte 18 to 273.
const (
	groupTokens  = 32 // tokens under one control word
	minSkip      = 2  // bytes of a match that its length field does not count
	maxNibble    = 15
	longBase     = maxNibble + 1
	maxCounted   = 255 + longBase
	tail         = 11 // the last bytes of the input, never the start of a match
	shortHeader  = 2
	longHeader   = 4
	shortSize    = 1 << 15 // from here on the size takes four bytes
	maxPlainSize = 1<<31 - 1
)

// hash maps four bytes, read as a little-endian number, to a slot. Only the
// low 24 bits take part.
func hash(v uint32) uint32 { return (v>>12 ^ v) & (slots - 1) }

func load(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[i:]) }
