package wscore

import (
	"bufio"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/flate"
)

var (
	errInflate      = &fault{CloseInvalidPayload, "invalid deflate data"}
	errInflateFinal = &fault{CloseInvalidPayload, "too many final blocks in a deflated message"}
)

// inflateTail follows a message: the four bytes that its sender left out, and
// a final empty block, at whose end the decoder knows that nothing is missing.
var inflateTail = []byte{0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff}

// inflate appends what the message src, received under z, stands for to dst. It
// stops with errTooBig as soon as that is more than limit bytes (0 is no
// limit); invalid or truncated data is errInflate.
func (z *deflater) inflate(dst, src []byte, limit uint64) (out []byte, err error) {
	out, err = inflate(dst, src, z.seen.bytes(), limit)
	if err == nil && z.seen != nil {
		z.seen.add(out[len(dst):])
	}
	return out, err
}

// inflate is deflater.inflate with a dictionary: the bytes that came before.
func inflate(dst, src, dict []byte, limit uint64) (out []byte, err error) {
	f := inflaters.Get().(*inflater)
	defer f.free()
	f.msg.b = src
	f.reset(&f.msg, dict)
	out = dst
	for {
		room := max(512, 2*len(src), len(out)-len(dst))
		if limit > 0 {
			room = int(min(uint64(room), limit+1-uint64(len(out)-len(dst))))
		}
		if len(out) == cap(out) {
			out = slices.Grow(out, room)
		}
		free := out[len(out):cap(out)]
		if limit > 0 && uint64(len(free)) > uint64(room) {
			free = free[:room]
		}
		n, err := f.fr.Read(free)
		out = out[:len(out)+n]
		if limit > 0 && uint64(len(out)-len(dst)) > limit {
			return out, errTooBig
		}
		switch {
		case err == io.EOF:
			if done, err := f.next(dict, out[len(dst):]); done || err != nil {
				return out, err
			}
		case err != nil:
			return out, errInflate
		}
	}
}

// inflater is a decoder for one message at a time.
type inflater struct {
	fr    io.Reader // a flate.Resetter
	br    *bufio.Reader
	in    tailed
	msg   pieceReader
	last  []byte // made for a message with final blocks
	final int    // final blocks so far
}

var inflaters = sync.Pool{New: func() any {
	f := &inflater{br: bufio.NewReaderSize(nil, 2048)}
	f.fr = flate.NewReader(f.br)
	return f
}}

func (f *inflater) reset(src io.Reader, dict []byte) {
	f.in, f.final = tailed{src: src}, 0
	f.br.Reset(&f.in)
	_ = f.fr.(flate.Resetter).Reset(f.br, dict)
}

func (f *inflater) free() {
	f.msg.b, f.in = nil, tailed{}
	inflaters.Put(f)
}

// next is called at the end of a final block. done reports whether that was
// the end of the message; if not, the decoder is ready for the blocks that follow,
// which may refer to out and to dict before it. RFC 7692 section 7.2.3.4.
func (f *inflater) next(dict, out []byte) (done bool, err error) {
	rest, err := f.br.Peek(len(inflateTail) + 1)
	switch {
	case err == nil: // more than the tail
	case err != io.EOF:
		return false, err
	case len(rest) == len(inflateTail), len(rest) == len(inflateTail)-len(syncTail), len(rest) == 0:
		return true, nil
	default:
		return false, errInflate // the block ended within the tail
	}
	// A decoder that starts anew costs what some bytes of data do.
	if f.final++; f.final > 64 && f.final > (f.in.n-f.br.Buffered())/64 {
		return false, errInflateFinal
	}
	if len(out) < maxWindow && len(dict) > 0 {
		f.last = append(append(f.last[:0], dict[max(0, len(dict)+len(out)-maxWindow):]...), out...)
		out = f.last
	}
	return false, f.fr.(flate.Resetter).Reset(f.br, out)
}

// tailed is src followed by the tail.
type tailed struct {
	src  io.Reader
	n    int // bytes read
	tail []byte
	over bool // src has ended
}

func (t *tailed) Read(p []byte) (n int, err error) {
	if !t.over {
		if n, err = t.src.Read(p); err == io.EOF {
			t.over, t.tail, err = true, inflateTail, nil
		}
	}
	if t.over && n == 0 {
		if n = copy(p, t.tail); n == 0 && len(p) > 0 {
			err = io.EOF
		}
		t.tail = t.tail[n:]
	}
	t.n += n
	return n, err
}

// pieceReader reads b.
type pieceReader struct{ b []byte }

func (r *pieceReader) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b)
	r.b = r.b[n:]
	return n, nil
}
