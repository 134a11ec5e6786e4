package synlz

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

// Thresholds for [Encode], in bytes.
const (
	DefaultThreshold = 450         // from which mORMot's WebSocket frames are compressed
	NoCompression    = math.MaxInt // stores everything
)

// Of the container: CRC-32C of the plain bytes, algorithm, CRC-32C of the body.
const (
	containerHeader = 9
	stored          = 0
	compressed      = 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Checksum returns the CRC-32C (Castagnoli) of b, the one of the container.
func Checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// Encode appends the container of src to dst and returns the result, as
// append does: compressed when src has threshold bytes or more and gets
// shorter by it, else stored with 9 bytes more. Empty src appends nothing.
// threshold is in bytes; 0 tries always. Neither slice is kept; they must not
// overlap. src above 2 GB panics.
func Encode(dst, src []byte, threshold int) []byte {
	if len(src) == 0 {
		return dst
	}
	begin := len(dst)
	sum := Checksum(src)
	dst = binary.LittleEndian.AppendUint32(dst, sum)
	dst = append(dst, compressed, 0, 0, 0, 0)
	body := begin + containerHeader
	if len(src) >= threshold {
		dst = Compress(dst, src)
		if len(dst)-body < len(src) {
			binary.LittleEndian.PutUint32(dst[begin+5:], Checksum(dst[body:]))
			return dst
		}
	}
	dst = append(dst[:body], src...)
	dst[begin+4] = stored
	binary.LittleEndian.PutUint32(dst[begin+5:], sum)
	return dst
}

// Decode appends the plain bytes of a container to dst and returns the result,
// as append does. limit is the most plain bytes accepted, 0 for none; it is
// checked before anything is allocated. An empty src is the container of no
// bytes. Neither slice is kept; they must not overlap. On error, an [Error],
// the result is dst as it was given.
func Decode(dst, src []byte, limit int) ([]byte, error) {
	if len(src) == 0 {
		return dst, nil
	}
	if len(src) <= containerHeader {
		return dst, fault(Truncated)
	}
	plainSum, algorithm := binary.LittleEndian.Uint32(src), src[4]
	bodySum, body := binary.LittleEndian.Uint32(src[5:]), src[containerHeader:]
	if algorithm > compressed {
		return dst, fault(BadAlgorithm)
	}
	if Checksum(body) != bodySum {
		return dst, fault(BadChecksum)
	}
	if algorithm == stored {
		switch {
		case plainSum != bodySum:
			return dst, fault(BadChecksum)
		case len(body) > limit:
			return dst, fault(TooLarge)
		}
		return append(dst, body...), nil
	}
	out, err := Decompress(dst, body, limit)
	if err != nil {
		return dst, err
	}
	if Checksum(out[len(dst):]) != plainSum {
		return dst, fault(BadChecksum)
	}
	return out, nil
}
