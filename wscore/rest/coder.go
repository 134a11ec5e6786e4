package rest

import (
	"bytes"
	"math"
	"strings"

	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/rest/synlz"
)

// coding is the memory of the Coder: one buffer for each direction and step.
type coding struct{ packed, sealed, opened, plain []byte }

// keep is the largest buffer that a connection keeps between two frames.
const keep = 4 << 10

func kept(b []byte) []byte {
	if cap(b) > keep {
		return nil
	}
	return b[:0]
}

func (r *Peer) compresses() bool { return r.o.SynLZ }

func (r *Peer) encrypts() bool { return r.o.WeakAES != nil && !(r.local && r.o.NoLocalEncrypt) }

// Encode implements wscore.Coder: binary frames are compressed, then encrypted.
func (r *Peer) Encode(op wscore.Opcode, data []byte) (wscore.Opcode, []byte, error) {
	if op != wscore.OpBinary || len(data) == 0 {
		return op, data, nil
	}
	if r.compresses() {
		threshold := r.o.synLZThreshold()
		if r.local && r.o.NoLocalCompress || len(data) >= threshold && isPacked(data) {
			threshold = synlz.NoCompression
		}
		r.coding.packed = synlz.Encode(kept(r.coding.packed), data, threshold)
		data = r.coding.packed
	}
	if r.encrypts() {
		var err error
		if r.coding.sealed, err = r.o.WeakAES.Seal(kept(r.coding.sealed), data); err != nil {
			return op, nil, err
		}
		data = r.coding.sealed
	}
	return op, data, nil
}

// isPacked reports whether the content of a frame is compressed already: by its
// type it is no text, and it begins as such formats do.
func isPacked(frame []byte) bool {
	m, err := binaryFormat{}.parse(frame)
	if err != nil || m.contentType == "" || strings.HasPrefix(m.contentType, "text/") {
		return false
	}
	for _, magic := range packedMagic {
		if bytes.HasPrefix(m.content, []byte(magic)) {
			return true
		}
	}
	return false
}

// packedMagic are the beginnings of gzip, zip, 7z, xz, zstd, bzip2, PNG, JPEG,
// GIF, WebP, Ogg and woff2.
var packedMagic = [...]string{"\x1f\x8b", "PK\x03\x04", "7z\xbc\xaf", "\xfd7zXZ", "\x28\xb5\x2f\xfd", "BZh",
	"\x89PNG", "\xff\xd8\xff", "GIF8", "RIFF", "OggS", "wOF2"}

// Decode implements wscore.Coder. A frame that the other side's key or
// compression does not fit closes the connection.
func (r *Peer) Decode(op wscore.Opcode, data []byte) (wscore.Opcode, []byte, error) {
	if op != wscore.OpBinary || len(data) == 0 {
		return op, data, nil
	}
	var err error
	if r.encrypts() {
		if r.coding.opened, err = r.o.WeakAES.Open(kept(r.coding.opened), data); err != nil {
			return op, nil, err
		}
		data = r.coding.opened
	}
	if r.compresses() {
		if r.coding.plain, err = synlz.Decode(kept(r.coding.plain), data, r.maxFrame()); err != nil {
			return op, nil, err
		}
		data = r.coding.plain
	}
	return op, data, nil
}

// maxFrame bounds what a compressed frame may stand for.
func (r *Peer) maxFrame() int {
	if n := r.p.Conn().MaxMessage(); n > 0 && n < math.MaxInt32 {
		return n
	}
	return math.MaxInt32
}

// maxJumbo is the size in bytes above which a jumbo frame takes no more in, so
// that it fits into the limit of the other side.
const maxJumbo = 256 << 10

// Gather implements wscore.Gatherer: binary frames become jumbo frames. One that
// would be alone in its stays as it is.
func (r *Peer) Gather(msgs []wscore.Message) []wscore.Message {
	if (r.format == jsonFormat{}) {
		return msgs
	}
	var out []wscore.Message
	for len(msgs) > 0 {
		n := together(msgs)
		if n == 1 {
			out = append(out, msgs[0])
		} else {
			frames := make([][]byte, n)
			for i := range frames {
				frames[i] = msgs[i].Data
			}
			out = append(out, wscore.Message{Op: wscore.OpBinary, Data: appendJumbo(nil, frames)})
		}
		msgs = msgs[n:]
	}
	return out
}

// together is how many of msgs, from the first on, one jumbo frame takes.
func together(msgs []wscore.Message) (n int) {
	size := 0
	for n < len(msgs) && msgs[n].Op == wscore.OpBinary {
		if size += len(msgs[n].Data); n > 0 && size > maxJumbo {
			break
		}
		n++
	}
	return max(n, 1)
}
