package wscore

import (
	"context"
	"errors"
	"io"
)

// NextReader waits for the beginning of the next message and returns a reader
// of it, which gives out the payload as it arrives; nothing of it is gathered in
// memory. MaxMessage holds for such a message too. What is left unread is
// thrown away by the next call of Read or NextReader. ctx holds for the reader as
// for Read: when it ends the connection is dropped. A reader's error is a
// *CloseError, ctx's cause, or io.EOF at the end of the message. See [Conn.Read].
// RFC 6455 section 5.4.
func (c *Conn) NextReader(ctx context.Context) (Opcode, io.Reader, error) {
	if err := c.startMessage(ctx, true); err != nil {
		return 0, nil, err
	}
	it, err := c.nextItem(ctx)
	if err != nil {
		return 0, nil, err
	}
	r := &messageReader{pieces: pieces{c: c, ctx: ctx, chunk: it.data, last: !it.part}}
	r.src = &r.pieces
	if it.zip {
		r.src = c.agreed.z.newReader(&r.pieces, c.grp.settings.maxMessage())
		r.check = it.op == OpText
	}
	c.pull.message = r
	return it.op, r, nil
}

// messageReader reads one message.
type messageReader struct {
	pieces pieces
	src    io.Reader // the pieces, inflated if need be
	check  bool      // the parser could not look at the text
	utf    utf8Check
	err    error
}

// Read implements io.Reader.
func (r *messageReader) Read(p []byte) (n int, err error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.pieces.c.pull.message != r {
		return 0, io.EOF // another message is being read
	}
	n, err = r.src.Read(p)
	if r.check && (!r.utf.add(p[:n]) || err == io.EOF && !r.utf.done()) {
		n, err = 0, errUTF8
	}
	var f *fault
	if errors.As(err, &f) {
		err = r.pieces.c.failReader(r.pieces.ctx, f)
	}
	if err != nil && !isTimeout(err) {
		r.err = err
	}
	return n, err
}

// failReader fails the connection for a fault of the peer, and waits for its end.
func (c *Conn) failReader(ctx context.Context, f *fault) error {
	c.fault(f)
	for {
		if _, err := c.nextItem(ctx); err != nil {
			return err
		}
	}
}

// skip reads to the end of the message. A window that is taken over needs all
// of it.
func (r *messageReader) skip(ctx context.Context) error {
	r.pieces.ctx = ctx
	if _, err := io.Copy(io.Discard, struct{ io.Reader }{r}); err != nil {
		return err
	}
	return nil
}

// pieces reads the payload of one message as it travels.
type pieces struct {
	c     *Conn
	ctx   context.Context // of NextReader: the reader lives as long as that call's purpose
	chunk []byte          // valid until the connection parses on
	last  bool
}

// Read implements io.Reader.
func (r *pieces) Read(p []byte) (int, error) {
	for len(r.chunk) == 0 {
		if r.last {
			return 0, io.EOF
		}
		it, err := r.c.nextItem(r.ctx)
		if err != nil {
			return 0, err
		}
		r.chunk, r.last = it.data, !it.part
	}
	n := copy(p, r.chunk)
	r.chunk = r.chunk[n:]
	return n, nil
}
