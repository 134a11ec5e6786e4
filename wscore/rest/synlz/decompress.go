package synlz

import (
	"encoding/binary"
	"slices"
)

// firstGrowth is the most that is allocated before any data has been read.
const firstGrowth = 4 << 10

// Size returns the plain size that a SynLZ stream declares and how many bytes
// of the stream say so. It returns an [Error] with Truncated for fewer bytes.
// The size is a claim of the peer, up to 2 GB: check it before allocating.
func Size(src []byte) (plain, header int, err error) {
	if len(src) < shortHeader {
		return 0, 0, fault(Truncated)
	}
	n := int(binary.LittleEndian.Uint16(src))
	if n < shortSize {
		return n, shortHeader, nil
	}
	if len(src) < longHeader {
		return 0, 0, fault(Truncated)
	}
	return n&(shortSize-1) | int(binary.LittleEndian.Uint16(src[shortHeader:]))<<15, longHeader, nil
}

// Decompress appends the plain bytes of a SynLZ stream to dst and returns the
// result, as append does. limit is the most plain bytes accepted, 0 for none;
// a stream that declares more is refused before anything is allocated, and a
// stream that declares much and brings little costs little. Neither slice is
// kept; they must not overlap. On error, an [Error], the result is dst as it
// was given.
func Decompress(dst, src []byte, limit int) ([]byte, error) {
	size, header, err := Size(src)
	if err != nil {
		return dst, err
	}
	if size > limit {
		return dst, fault(TooLarge)
	}
	d := decoder{out: slices.Grow(dst, min(size, firstGrowth)), start: len(dst), size: size, in: src[header:], last: -1}
	for len(d.in) > 0 {
		if err := d.group(); err != nil {
			return dst, err
		}
	}
	if d.len() != size {
		return dst, fault(WrongLength)
	}
	return d.out, nil
}

// decoder is the state of one Decompress. Positions are counted from the
// first byte that the stream made, out[start].
type decoder struct {
	out   []byte
	start int
	size  int
	in    []byte
	last  int          // newest position entered in the table
	pos   [slots]int32 // position + 1, 0 when unset
}

func (d *decoder) len() int { return len(d.out) - d.start }

// enter puts the position after last into the table. Three bytes are there to
// be read, the fourth may not be: hash does not use it.
func (d *decoder) enter() {
	d.last++
	b := d.out[d.start+d.last:]
	d.pos[hash(uint32(b[0])|uint32(b[1])<<8|uint32(b[2])<<16)] = int32(d.last + 1)
}

// group reads a control word and its tokens.
func (d *decoder) group() error {
	if len(d.in) < 4 {
		return fault(Truncated)
	}
	control := load(d.in, 0)
	d.in = d.in[4:]
	for i := 0; i < groupTokens && len(d.in) > 0; i, control = i+1, control>>1 {
		if control&1 != 0 {
			if err := d.match(); err != nil {
				return err
			}
			continue
		}
		if d.len() == d.size {
			return fault(WrongLength)
		}
		d.out = append(d.out, d.in[0])
		d.in = d.in[1:]
		if d.last < d.len()-3 {
			d.enter()
		}
	}
	return nil
}

// match reads a match and copies what it stands for.
func (d *decoder) match() error {
	if len(d.in) < 2 {
		return fault(Truncated)
	}
	w := int(binary.LittleEndian.Uint16(d.in))
	n := w&maxNibble + minSkip
	d.in = d.in[2:]
	if n == minSkip {
		if len(d.in) == 0 {
			return fault(Truncated)
		}
		n = int(d.in[0]) + longBase + minSkip
		d.in = d.in[1:]
	}
	from := int(d.pos[w>>4]) - 1
	base := d.len()
	switch {
	case from < 0:
		return fault(BadSlot)
	case n > d.size-base:
		return fault(WrongLength)
	}
	if from+n <= base {
		d.out = append(d.out, d.out[d.start+from:d.start+from+n]...)
	} else { // the match runs into the bytes that it makes
		for i := range n {
			d.out = append(d.out, d.out[d.start+from+i])
		}
	}
	for d.last < base {
		d.enter()
	}
	d.last = d.len() - 1
	return nil
}
