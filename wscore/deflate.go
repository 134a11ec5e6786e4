package wscore

import (
	"bytes"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// deflater is the state of permessage-deflate that one connection keeps; without
// takeover connections with the same parameters can share one. What concerns
// sending belongs to whoever holds the right to send, what concerns receiving to the reader.
type deflater struct {
	level uint8
	bits  uint8   // base-2 logarithm of the window we may use
	sent  *window // what our next message may refer to; nil without takeover
	seen  *window // what the peer's next message may refer to; nil without takeover
}

// newDeflater returns the state for what was agreed.
func newDeflater(d *Deflate, p deflateParams, client bool) *deflater {
	keep, keepPeer, bits, peerBits := !p.serverNoTakeover, !p.clientNoTakeover, p.serverBits, p.clientBits
	if client {
		keep, keepPeer, bits, peerBits = keepPeer, keep, peerBits, bits
	}
	z := &deflater{level: uint8(d.level()), bits: bits}
	if n := min(d.dictionary(), 1<<bits); keep && n > 0 {
		z.sent = &window{max: n}
	}
	if keepPeer {
		z.seen = &window{max: 1 << max(peerBits, 9)} // zlib takes 9 for 8
	}
	return z
}

// stateless reports whether messages are independent of each other when sent, so that
// one compressed by another such deflater of the same bits will do.
func (z *deflater) stateless() bool { return z.sent == nil }

// compress appends the deflated form of prefix followed by data to dst. When
// that would not be smaller, ok is false, dst is returned as it was, and the message is to
// be sent without RSV1. RFC 7692 section 7.2.1.
func (z *deflater) compress(dst, prefix, data []byte) (out []byte, ok bool) {
	s := scratches.Get().(*scratch)
	defer s.free()
	plain := data
	if len(prefix) > 0 {
		s.join = append(append(s.join[:0], prefix...), data...)
		plain = s.join
	}
	if len(plain) == 0 {
		return dst, false
	}
	out = s.deflate(dst, plain, z.sent.bytes(), int(z.level), z.bits)
	if len(out)-len(dst) >= len(plain) {
		return dst, false
	}
	if z.sent != nil {
		z.sent.add(plain)
	}
	return out, true
}

// scratch is what the compression of one message needs for its time.
type scratch struct {
	out  appender
	join []byte
}

type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// maxPooled is the capacity beyond which a buffer is left to the collector.
const maxPooled = 64 << 10

func (s *scratch) free() {
	s.out.b = nil
	if cap(s.join) > maxPooled {
		s.join = nil
	}
	scratches.Put(s)
}

// syncTail ends what a compressor flushed; it is not sent. RFC 7692 section 7.2.1.
var syncTail = []byte{0x00, 0x00, 0xff, 0xff}

// deflate appends the blocks of plain, whose last lacks its final four bytes, to
// dst. plain may refer to dict, and back by a window of 1<<bits at most.
func (s *scratch) deflate(dst, plain, dict []byte, level int, bits uint8) []byte {
	if len(plain) == 0 {
		return append(dst, 0) // an empty stored block less its tail: RFC 7692 section 7.2.3.6
	}
	s.out.b = dst
	if small := len(dict)+len(plain) <= 1<<bits; level <= 1 && (small || bits == maxWindowBits) {
		_ = flate.StatelessDeflate(&s.out, plain, false, dict)
	} else {
		pool, window := &writers[level], 0
		if !small && bits < maxWindowBits {
			pool, window = &windowWriters[bits], 1<<bits
		}
		w, _ := pool.Get().(*flate.Writer)
		if w == nil {
			w = newFlateWriter(level, window)
		}
		w.ResetDict(&s.out, dict)
		_, _ = w.Write(plain)
		_ = w.Flush()
		w.ResetDict(nil, nil) // it must not keep what is the caller's
		pool.Put(w)
	}
	return bytes.TrimSuffix(s.out.b, syncTail)
}

// The compressors with state, by level and by window. The window's are of one level.
var (
	writers       [10]sync.Pool
	windowWriters [maxWindowBits]sync.Pool
)

// newFlateWriter returns a compressor of the level, or, if window is not 0, one that
// refers back by so many bytes at most.
func newFlateWriter(level, window int) *flate.Writer {
	var w *flate.Writer
	var err error
	if window > 0 {
		w, err = flate.NewWriterWindow(nil, window)
	} else {
		w, err = flate.NewWriter(nil, level)
	}
	if err != nil {
		panic(err) // level and window are within what the library takes
	}
	return w
}

// deflateWriter compresses a message as it is written, and sends the pieces
// on to w. Close completes the message, not w.
type deflateWriter struct {
	w    io.Writer
	z    *deflater
	past window // what the next piece may refer to
	buf  []byte // plain bytes that wait for a piece to be full
	any  bool   // a piece was sent
}

const deflatePiece = 16 << 10

// newWriter returns a stream for one message; none other may be compressed by
// z until it is closed.
func (z *deflater) newWriter(w io.Writer) *deflateWriter {
	d := &deflateWriter{w: w, z: z, past: window{max: min(maxDictionary, 1<<z.bits)}}
	d.past.add(z.sent.bytes())
	return d
}

func (d *deflateWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if d.buf == nil {
			d.buf = make([]byte, 0, deflatePiece)
		}
		c := min(len(p), deflatePiece-len(d.buf))
		d.buf = append(d.buf, p[:c]...)
		p, n = p[c:], n+c
		if len(d.buf) == deflatePiece {
			if err := d.piece(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// piece sends what was gathered. The four bytes that each piece lacks
// are made up for by the next one.
func (d *deflateWriter) piece() error {
	s := scratches.Get().(*scratch)
	defer s.free()
	b := s.join[:0]
	if d.any {
		b = append(b, syncTail...)
	}
	b = s.deflate(b, d.buf, d.past.bytes(), int(d.z.level), d.z.bits)
	s.join, d.any = b, true
	d.past.add(d.buf)
	if d.z.sent != nil {
		d.z.sent.add(d.buf)
	}
	d.buf = d.buf[:0]
	_, err := d.w.Write(b)
	return err
}

// Close sends the rest, without the final four bytes.
func (d *deflateWriter) Close() error {
	if len(d.buf) == 0 && d.any {
		return nil
	}
	return d.piece()
}
