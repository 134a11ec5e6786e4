package synlz

import "encoding/binary"

// Compress appends the SynLZ stream of src to dst and returns the result, as
// append does. The bytes are those of mORMot's SynLZcompress1. Neither slice
// is kept; they must not overlap. The stream may be longer than src, by an
// eighth and 8 bytes at most. src above 2 GB panics.
func Compress(dst, src []byte) []byte {
	dst = appendSize(dst, len(src))
	if len(src) == 0 {
		return dst
	}
	var (
		pos    [slots]int32 // position + 1, 0 when unset
		val    [slots]uint32
		tokens int
	)
	control := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for i := 0; i < len(src); tokens++ {
		if tokens == groupTokens {
			tokens = 0
			control = len(dst)
			dst = append(dst, 0, 0, 0, 0)
		}
		if i > len(src)-tail {
			dst = append(dst, src[i])
			i++
			continue
		}
		v := load(src, i)
		h := hash(v)
		from, diff := int(pos[h])-1, v^val[h]
		pos[h], val[h] = int32(i+1), v
		if from < 0 || diff&0xffffff != 0 || i-from <= minSkip {
			dst = append(dst, src[i])
			i++
			continue
		}
		dst[control+tokens/8] |= 1 << (tokens % 8)
		n := counted(src, i+minSkip, from+minSkip)
		if n <= maxNibble {
			dst = binary.LittleEndian.AppendUint16(dst, uint16(h<<4)|uint16(n))
		} else {
			dst = append(binary.LittleEndian.AppendUint16(dst, uint16(h<<4)), byte(n-longBase))
		}
		i += minSkip + n
	}
	if tokens == groupTokens {
		dst = append(dst, 0, 0, 0, 0) // reserved right after the last token
	}
	return dst
}

// counted returns how long the match is that begins at i, less what both are
// known to share; the last byte of src is never part of one.
func counted(src []byte, i, from int) int {
	limit := min(len(src)-i-1, maxCounted)
	n := 1
	for n < limit && src[i+n] == src[from+n] {
		n++
	}
	return n
}

// appendSize appends the declared size: two bytes, or four from 32768 on.
func appendSize(dst []byte, n int) []byte {
	if n > maxPlainSize {
		panic("synlz: Compress of more than 2 GB")
	}
	if n < shortSize {
		return binary.LittleEndian.AppendUint16(dst, uint16(n))
	}
	dst = binary.LittleEndian.AppendUint16(dst, uint16(n)|shortSize)
	return binary.LittleEndian.AppendUint16(dst, uint16(n>>15))
}
