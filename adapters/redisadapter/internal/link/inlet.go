package link

import (
	"bytes"
	"net"
	"time"
)

// inletBytes is what an inlet reads at once, and keeps.
const inletBytes = 64 << 10

// inlet is what was read from a subscribed connection. Nearly all that comes are
// messages, which are taken from the buffer where they lie. All else is read by
// go-redis, to which it looks like a connection that brings one line at a time:
// whatever comes ends with a line, so that go-redis never takes a part of what
// follows. It belongs to the goroutine that reads.
type inlet struct {
	conn    net.Conn
	silence time.Duration // after which a read fails, or a little later
	buf     []byte
	r, w    int       // buf[r:w] is not taken yet
	limit   time.Time // the deadline of the connection; zero: unknown
}

// push is a message in an inlet. It is valid until the next one is taken.
type push struct {
	pattern []byte // nil unless it came by a pattern
	channel []byte
	payload []byte
}

// next waits for what comes next and takes it if it is a message; ok is false if
// it is something else.
func (in *inlet) next() (p push, ok bool, err error) {
	for {
		p, need := parsePush(in.buf[in.r:in.w])
		switch {
		case need == 0:
			return push{}, false, nil
		case need <= in.w-in.r:
			in.r += need
			return p, true, nil
		}
		if err := in.fill(need); err != nil {
			return push{}, false, err
		}
	}
}

// Read brings the next line, or a part of it, to go-redis.
func (in *inlet) Read(p []byte) (int, error) {
	if in.r == in.w {
		if err := in.fill(1); err != nil {
			return 0, err
		}
	}
	line := in.buf[in.r:in.w]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i+1]
	}
	n := copy(p, line)
	in.r += n
	return n, nil
}

// fill reads more; need is how much there must be before anything can be taken.
// The buffer grows with what has come, whatever length was announced, and is the
// usual one again when that is enough.
func (in *inlet) fill(need int) error {
	have, to := in.w-in.r, in.buf
	switch {
	case have == len(in.buf):
		to = make([]byte, max(inletBytes, min(need, 2*len(in.buf))))
	case len(in.buf) > inletBytes && need <= inletBytes:
		to = make([]byte, inletBytes)
	}
	if in.r > 0 || len(to) != len(in.buf) { // not for each piece of a long message
		copy(to, in.buf[in.r:in.w])
	}
	in.buf, in.r, in.w = to, 0, have
	if now := time.Now(); in.limit.Sub(now) < in.silence {
		in.limit = now.Add(in.silence + in.silence/8) // so that it is not set for each read
		if err := in.conn.SetReadDeadline(in.limit); err != nil {
			return err
		}
	}
	n, err := in.conn.Read(in.buf[in.w:])
	if n == 0 {
		return err
	}
	in.w += n
	return nil // an error comes again
}

// pushHeads are how messages begin, behind the first byte. RESP, "Pushes"; Redis
// documentation, "Pub/Sub".
var pushHeads = [...]string{"3\r\n$7\r\nmessage\r\n", "3\r\n$8\r\nsmessage\r\n", "4\r\n$8\r\npmessage\r\n"}

// pushPattern is the head of messages that come by a pattern.
const pushPattern = 2

// parsePush reads the message that b begins with. need is its length, or how much
// of it there must be to know more than now, which is more than there is; 0 means
// that it is something else, or malformed.
func parsePush(b []byte) (p push, need int) {
	if len(b) == 0 {
		return p, 1
	}
	if b[0] != '>' && b[0] != '*' {
		return p, 0
	}
	for i, head := range pushHeads {
		n := min(len(b)-1, len(head))
		if string(b[1:1+n]) != head[:n] {
			continue
		}
		if need = 1 + len(head); n < len(head) {
			return p, need
		}
		if i == pushPattern {
			if p.pattern, need = BulkAt(b, need); p.pattern == nil {
				return p, need
			}
		}
		if p.channel, need = BulkAt(b, need); p.channel == nil {
			return p, need
		}
		p.payload, need = BulkAt(b, need)
		return p, need
	}
	return p, 0
}

// maxBulkDigits bounds the length of a bulk string below 1 GB; Redis allows 512 MB.
const maxBulkDigits = 9

// BulkAt returns the bulk string at b[at], as a part of b, and the index behind
// it; nil if it is not there as a whole. Then end is how much of b there must be
// to know more than now, or 0 if it is something else, or malformed. RESP, "Bulk
// strings".
func BulkAt(b []byte, at int) (s []byte, end int) {
	i, n := at, 0
	if i < len(b) && b[i] != '$' {
		return nil, 0
	}
	for i++; i < len(b) && i-at <= maxBulkDigits && b[i]-'0' <= 9; i++ {
		n = 10*n + int(b[i]-'0')
	}
	start := i + 2
	end = start + n + 2
	switch {
	case i >= len(b):
		return nil, len(b) + 1
	case i == at+1 || b[i] != '\r':
		return nil, 0
	case end > len(b):
		return nil, end
	case b[i+1] != '\n' || b[end-2] != '\r' || b[end-1] != '\n':
		return nil, 0
	}
	return b[start : end-2 : end-2], end
}
