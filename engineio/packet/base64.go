package packet

import "encoding/base64"

func encodedLen(n int) int { return base64.StdEncoding.EncodedLen(n) }

func appendBase64(dst, data []byte) []byte {
	return base64.StdEncoding.AppendEncode(dst, data)
}

// decodeBase64 appends to dst the bytes that src stands for. It is as lenient
// as the official server, where the runtime's decoder skips what is not of the
// alphabet, takes both alphabets, needs no padding and ends at the first one. dst may be src[:0]: no
// byte is written before it was read.
func decodeBase64(dst, src []byte) []byte {
	start := len(dst)
	if cap(dst)-start < base64.StdEncoding.DecodedLen(len(src)) {
		dst = grow(dst, base64.StdEncoding.DecodedLen(len(src)))
	}
	out := dst[:start]
	var acc uint32
	var bits uint
	for i := 0; i < len(src); i++ {
		for bits == 0 && len(src)-i >= 4 { // the common case, four by four
			a, b, c, d := base64Value[src[i]], base64Value[src[i+1]], base64Value[src[i+2]], base64Value[src[i+3]]
			if a|b|c|d >= notBase64 {
				break
			}
			out = append(out, a<<2|b>>4, b<<4|c>>2, c<<6|d)
			i += 4
		}
		if i == len(src) || src[i] == '=' {
			break
		}
		v := base64Value[src[i]]
		if v >= notBase64 {
			continue
		}
		acc = acc<<6 | uint32(v)
		if bits += 6; bits == 24 {
			out = append(out, byte(acc>>16), byte(acc>>8), byte(acc))
			acc, bits = 0, 0
		}
	}
	switch bits {
	case 12:
		out = append(out, byte(acc>>4))
	case 18:
		out = append(out, byte(acc>>10), byte(acc>>2))
	}
	return out
}

const notBase64 = 64

// base64Value maps a byte to its six bits in the standard or URL alphabet.
var base64Value = makeBase64Values()

func makeBase64Values() (t [256]byte) {
	for i := range t {
		t[i] = notBase64
	}
	for i := range 26 {
		t['A'+i], t['a'+i] = byte(i), byte(26+i)
	}
	for i := range 10 {
		t['0'+i] = byte(52 + i)
	}
	t['+'], t['-'], t['/'], t['_'] = 62, 62, 63, 63
	return t
}
