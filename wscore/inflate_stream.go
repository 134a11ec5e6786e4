package wscore

import "io"

// inflateReader inflates one message as it is read from src. It ends with
// io.EOF, errInflate, errTooBig or the error of src, and then needs no release.
type inflateReader struct {
	f     *inflater // nil once ended
	z     *deflater
	past  window // what a block after a final one may refer to
	limit uint64
	n     uint64 // bytes so far
	err   error
	src   errorKeeper
}

// newReader returns a stream for one message, whose wire form src reads up to
// io.EOF; none other may be inflated by z before it has ended. limit is as in inflate.
func (z *deflater) newReader(src io.Reader, limit uint64) *inflateReader {
	r := &inflateReader{f: inflaters.Get().(*inflater), z: z, limit: limit, past: window{max: maxWindow}}
	r.src.r = src
	r.past.add(z.seen.bytes())
	r.f.reset(&r.src, r.past.bytes())
	return r
}

func (r *inflateReader) Read(p []byte) (n int, err error) {
	if r.err != nil || len(p) == 0 {
		return 0, r.err
	}
	for n == 0 && r.err == nil {
		n, err = r.f.fr.Read(p)
		r.n += uint64(n)
		r.past.add(p[:n])
		if err != nil {
			r.err = r.ended(err)
		}
		if r.limit > 0 && r.n > r.limit {
			n, r.err = n-int(r.n-r.limit), errTooBig
		}
	}
	if r.err != nil {
		r.close()
	}
	if n > 0 {
		return n, nil
	}
	return n, r.err
}

// ended is what the decoder's err means for the message; nil is that it goes on.
func (r *inflateReader) ended(err error) error {
	if err == io.EOF {
		done, err := r.f.next(nil, r.past.bytes())
		if err == nil && done {
			if r.z.seen != nil {
				r.z.seen.buf = r.z.seen.buf[:0] // past begins with it
				r.z.seen.add(r.past.bytes())
			}
			return io.EOF
		}
		if err == nil || r.src.err == nil {
			return err
		}
	}
	if r.src.err != nil {
		return r.src.err
	}
	return errInflate
}

// close gives the decoder back; a reader that is not read to its end is closed by its owner.
func (r *inflateReader) close() {
	if r.err == nil {
		r.err = io.ErrClosedPipe
	}
	if r.f != nil {
		r.f.free()
		r.f = nil
	}
	r.past.buf, r.src.r = nil, nil
}

// errorKeeper remembers why its reader failed.
type errorKeeper struct {
	r   io.Reader
	err error
}

func (k *errorKeeper) Read(p []byte) (n int, err error) {
	n, err = k.r.Read(p)
	if err != nil && err != io.EOF {
		k.err = err
	}
	return n, err
}
