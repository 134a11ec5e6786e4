// Package synlz is SynLZ, mORMot's own compression, as its binary REST frames
// use it: the container with its two checksums, and the bare stream inside.
//
// [Encode] and [Decode] are the container, which is what travels. [Compress]
// and [Decompress] are the stream alone. [Error] says what a decoder refused.
//
//	wire := synlz.Encode(nil, payload, synlz.DefaultThreshold)
//	payload, err := synlz.Decode(nil, wire, 1<<20)
//
// The encoder gives the very bytes that mORMot 2 gives. The decoders are for
// bytes from strangers: the size that a stream declares is compared with the
// caller's limit before anything is allocated, the output grows only as data
// arrives, and each token is checked against both ends. The checksums find
// accidents, not attackers: anyone can compute a CRC.
//
// The format is not LZ4, LZO or Snappy, and speaks to nobody but mORMot.
// Elsewhere permessage-deflate compresses better and is a standard.
//
// All functions may be called from several goroutines at a time.
package synlz
