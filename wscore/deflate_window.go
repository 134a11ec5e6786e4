package wscore

// window keeps the last max bytes of what went by: what a later message may
// refer to. Its memory grows with the bytes kept, up to max.
type window struct {
	max int
	buf []byte
}

// add appends p; the oldest bytes make room.
func (w *window) add(p []byte) {
	if over := len(p) - w.max; over > 0 {
		p = p[over:]
	}
	if need := len(w.buf) + len(p); need > cap(w.buf) && cap(w.buf) < w.max {
		buf := make([]byte, len(w.buf), min(w.max, max(need, 2*cap(w.buf))))
		copy(buf, w.buf)
		w.buf = buf
	}
	if over := len(w.buf) + len(p) - w.max; over > 0 {
		w.buf = w.buf[:copy(w.buf, w.buf[over:])]
	}
	w.buf = append(w.buf, p...)
}

// bytes are those kept, valid until the next add.
func (w *window) bytes() []byte {
	if w == nil {
		return nil
	}
	return w.buf
}
