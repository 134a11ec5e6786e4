package wscore

import "testing"

// bitsOf reads a deflate stream bit by bit. RFC 1951.
type bitsOf struct {
	t    *testing.T
	b    []byte
	n    int // bits read
	over bool
}

func (r *bitsOf) take(n int) (v int) {
	for i := range n {
		if r.n>>3 >= len(r.b) {
			r.over = true
			return 0
		}
		v |= int(r.b[r.n>>3]>>(r.n&7)&1) << i
		r.n++
	}
	return v
}

// code maps the length and the bits of a Huffman code to its symbol.
type code map[[2]int]int

func codeOf(lengths []int) code {
	c, next := code{}, 0
	for n := 1; n <= 15; n++ {
		for sym, l := range lengths {
			if l == n {
				c[[2]int{n, next}] = sym
				next++
			}
		}
		next <<= 1
	}
	return c
}

func (r *bitsOf) symbol(c code) int {
	for n, v := 1, 0; n <= 15; n++ {
		v = v<<1 | r.take(1)
		if sym, ok := c[[2]int{n, v}]; ok {
			return sym
		}
	}
	r.t.Fatal("no such code")
	return 0
}

// dynamic reads the codes of a block. RFC 1951 section 3.2.7.
func (r *bitsOf) dynamic() (lit, dist code) {
	nlit, ndist, nlen := r.take(5)+257, r.take(5)+1, r.take(4)+4
	var lens [19]int
	for _, i := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}[:nlen] {
		lens[i] = r.take(3)
	}
	c := codeOf(lens[:])
	var all []int
	for len(all) < nlit+ndist {
		value, times := 0, 1
		switch sym := r.symbol(c); sym {
		case 16:
			value, times = all[len(all)-1], 3+r.take(2)
		case 17:
			times = 3 + r.take(3)
		case 18:
			times = 11 + r.take(7)
		default:
			value = sym
		}
		for range times {
			all = append(all, value)
		}
	}
	return codeOf(all[:nlit]), codeOf(all[nlit:])
}

func fixed() (lit, dist code) {
	l, d := make([]int, 288), make([]int, 30)
	for i := range l {
		switch {
		case i < 144 || i >= 280:
			l[i] = 8
		case i < 256:
			l[i] = 9
		default:
			l[i] = 7
		}
	}
	for i := 280; i < 288; i++ {
		l[i] = 8
	}
	for i := range d {
		d[i] = 5
	}
	return codeOf(l), codeOf(d)
}

// obey decodes a message behind what was decoded before, to which it appends, and
// returns the farthest distance that the message refers back by. RFC 1951 section 3.2.5.
func obey(t *testing.T, wire []byte, decoded *[]byte) (farthest int) {
	r, out := &bitsOf{t: t, b: append(append([]byte(nil), wire...), syncTail...)}, *decoded
	for r.n < 8*len(r.b) {
		r.take(1)
		var lit, dist code
		switch kind := r.take(2); kind {
		case 0:
			at := (r.n + 7) / 8
			n := int(r.b[at]) | int(r.b[at+1])<<8
			out = append(out, r.b[at+4:at+4+n]...)
			r.n = 8 * (at + 4 + n)
			continue
		case 1:
			lit, dist = fixed()
		default:
			lit, dist = r.dynamic()
		}
		for sym := r.symbol(lit); sym != 256; sym = r.symbol(lit) {
			if sym < 256 {
				out = append(out, byte(sym))
				continue
			}
			n := r.length(sym)
			d := r.distance(r.symbol(dist))
			farthest = max(farthest, d)
			if d > len(out) || r.over {
				t.Fatalf("distance %d after %d bytes", d, len(out))
			}
			for range n {
				out = append(out, out[len(out)-d])
			}
		}
	}
	*decoded = out[max(0, len(out)-maxWindow):]
	return farthest
}

func (r *bitsOf) length(sym int) int {
	switch {
	case sym < 265:
		return sym - 254
	case sym == 285:
		return 258
	}
	extra := (sym - 261) / 4
	return 3 + (4+(sym-261)%4)<<extra + r.take(extra)
}

func (r *bitsOf) distance(sym int) int {
	if sym < 4 {
		return sym + 1
	}
	extra := sym/2 - 1
	return 1 + (2+sym%2)<<extra + r.take(extra)
}
