package chat_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/mormotvectors"
	"github.com/hermod-io/hermod/wscore"
)

// wire is a connection of a peer that is not ours: bytes.
type wire struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
}

func newWire(t *testing.T, c net.Conn) *wire {
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(limit))
	return &wire{t, c, bufio.NewReader(c)}
}

// dialWire connects to the server at an http URL.
func dialWire(t *testing.T, u string) *wire {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(u, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return newWire(t, c)
}

func (w *wire) write(b []byte) error {
	_, err := w.c.Write(b)
	return err
}

// response reads the head of a response; the body is read too, but for a 101.
func (w *wire) response() (res *http.Response, body string, err error) {
	if res, err = http.ReadResponse(w.r, nil); err != nil || res.StatusCode == http.StatusSwitchingProtocols {
		return res, "", err
	}
	b, err := io.ReadAll(res.Body)
	return res, string(b), err
}

// frame is one as recorded, or as read.
type frame struct {
	Dir     string `json:"dir"`
	Opcode  byte   `json:"opcode"`
	Masked  bool   `json:"masked"`
	Header  string `json:"header_hex"`
	MaskKey string `json:"mask_key"`
	Len     int    `json:"len"`
	Hex     string `json:"payload_hex"`
	SHA256  string `json:"payload_sha256"`

	first   byte // FIN, reserved bits and opcode
	head    []byte
	payload []byte
}

// read reads a frame and unmasks it.
func (w *wire) read() (f frame, err error) {
	var b [14]byte
	if _, err = io.ReadFull(w.r, b[:2]); err != nil {
		return f, err
	}
	n := 2
	more := map[byte]int{126: 2, 127: 8}[b[1]&0x7f]
	if b[1]&0x80 != 0 {
		more += 4
	}
	if _, err = io.ReadFull(w.r, b[n:n+more]); err != nil {
		return f, err
	}
	f.first, f.Opcode, f.Masked, f.Len = b[0], b[0]&15, b[1]&0x80 != 0, int(b[1]&0x7f)
	switch f.Len {
	case 126:
		f.Len = int(binary.BigEndian.Uint16(b[2:]))
	case 127:
		f.Len = int(binary.BigEndian.Uint64(b[2:]))
	}
	f.head = b[:n+more]
	f.payload = make([]byte, f.Len)
	if _, err = io.ReadFull(w.r, f.payload); err != nil {
		return f, err
	}
	if f.Masked {
		mask(f.payload, b[n+more-4:])
	}
	return f, nil
}

// ended reports whether the other side ends the stream, without a further frame.
func (w *wire) ended() bool {
	_, err := w.r.ReadByte()
	var ne net.Error
	return err != nil && !(errors.As(err, &ne) && ne.Timeout())
}

func mask(b, key []byte) {
	for i := range b {
		b[i] ^= key[i&3]
	}
}

// body is the payload of a recorded frame. Those of which there is but a hash are
// of the same text.
func (f *frame) body(t *testing.T) []byte {
	if f.SHA256 == "" {
		return mormotvectors.Hex(t, f.Hex)
	}
	b := lorem(t, f.Len)
	if wscore.Opcode(f.Opcode) == wscore.OpBinary {
		b = big(t, f.Len)
	}
	mormotvectors.Check(t, "recorded payload", b, f.Hex, f.SHA256)
	return b
}

// bytes is a recorded frame as it travelled.
func (f *frame) bytes(t *testing.T) []byte {
	b := f.body(t)
	if f.Masked {
		mask(b, mormotvectors.Hex(t, f.MaskKey))
	}
	return append(mormotvectors.Hex(t, f.Header), b...)
}
