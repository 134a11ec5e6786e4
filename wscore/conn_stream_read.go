package wscore

import (
	"context"
	"io"
)

// NextReader waits for the beginning of the next message and returns a reader
// of it, which gives out the payload as it arrives; nothing of it is gathered in
// memory. MaxMessage holds for such a message too. What is left unread is
// thrown away by the next call of Read or NextReader. ctx holds for the reader as
// for Read: when it ends the connection is dropped. A reader's error is a
// *CloseError, ctx's cause, or io.EOF at the end of the message. See [Conn.Read].
func (c *Conn) NextReader(ctx context.Context) (Opcode, io.Reader, error) {
	if err := c.startMessage(ctx, true); err != nil {
		return 0, nil, err
	}
	it, err := c.nextItem(ctx)
	if err != nil {
		return 0, nil, err
	}
	r := &messageReader{c: c, ctx: ctx, chunk: it.data, last: !it.part}
	c.pull.message = r
	return it.op, r, nil
}

// messageReader reads one message in pieces.
type messageReader struct {
	c     *Conn
	ctx   context.Context // of NextReader: the reader lives as long as that call's purpose
	chunk []byte          // valid until the connection parses on
	last  bool
	err   error
}

// Read implements io.Reader.
func (r *messageReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(r.chunk) == 0 {
		if err := r.next(r.ctx); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.chunk)
	r.chunk = r.chunk[n:]
	return n, nil
}

// next takes the next piece; io.EOF is the end of the message.
func (r *messageReader) next(ctx context.Context) error {
	switch {
	case r.err != nil:
		return r.err
	case r.c.pull.message != r || r.last:
		r.err = io.EOF
		return r.err
	}
	it, err := r.c.nextItem(ctx)
	if err != nil {
		if !isTimeout(err) {
			r.err = err
		}
		return err
	}
	r.chunk, r.last = it.data, !it.part
	return nil
}

// skip reads to the end of the message.
func (r *messageReader) skip(ctx context.Context) error {
	for {
		r.chunk = nil
		switch err := r.next(ctx); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}
