package raw

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Patience is how long a peer has to do what it must.
const Patience = 2 * time.Minute

// Conn is a connection in the hands of a test.
type Conn struct {
	net.Conn
	R          *bufio.Reader
	Client     bool   // this side is the client: it masks
	Extensions string // what the server's answer said, or, on the server, the client's offer
}

// Key is the Sec-WebSocket-Key of Dial, that of RFC 6455 section 1.3.
const Key = "dGhlIHNhbXBsZSBub25jZQ=="

// Request is a valid handshake with a path and an offer of extensions, or "".
func Request(addr, extensions string) string {
	if extensions != "" {
		extensions = "Sec-WebSocket-Extensions: " + extensions + "\r\n"
	}
	return "GET /echo HTTP/1.1\r\nHost: " + addr + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: " + Key + "\r\n" + extensions + "\r\n"
}

// Ask sends a request, whatever it is, and returns the answer.
func Ask(addr, request string) (*Conn, *http.Response, error) {
	nc, err := net.DialTimeout("tcp", addr, Patience)
	if err != nil {
		return nil, nil, err
	}
	_ = nc.SetDeadline(time.Now().Add(Patience))
	c := &Conn{Conn: nc, R: bufio.NewReaderSize(nc, 1<<16), Client: true}
	if _, err = io.WriteString(nc, request); err == nil {
		var resp *http.Response
		if resp, err = http.ReadResponse(c.R, nil); err == nil {
			c.Extensions = resp.Header.Get("Sec-WebSocket-Extensions")
			return c, resp, nil
		}
	}
	_ = nc.Close()
	return nil, nil, err
}

// Dial connects to a server and checks its answer. RFC 6455 section 4.1.
func Dial(addr, extensions string) (*Conn, error) {
	return DialWith(addr, Request(addr, extensions))
}

// DialWith is Dial with a request of the caller's, which must have the Key.
func DialWith(addr, request string) (*Conn, error) {
	c, resp, err := Ask(addr, request)
	if err != nil {
		return nil, err
	}
	h := resp.Header
	if resp.StatusCode != 101 || !strings.EqualFold(h.Get("Upgrade"), "websocket") || !strings.EqualFold(h.Get("Connection"), "upgrade") ||
		h.Get("Sec-WebSocket-Accept") != accept(Key) {
		_ = c.Close()
		return nil, fmt.Errorf("handshake answered %s %v", resp.Status, h)
	}
	return c, nil
}

func accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Accept is the server's side of a handshake: choose is given the offer of
// extensions and returns the answer to it.
func Accept(nc net.Conn, choose func(offer string) string) (*Conn, error) {
	_ = nc.SetDeadline(time.Now().Add(Patience))
	c := &Conn{Conn: nc, R: bufio.NewReaderSize(nc, 1<<16)}
	r, err := http.ReadRequest(c.R)
	if err != nil {
		return nil, err
	}
	h := r.Header
	k, err := base64.StdEncoding.DecodeString(h.Get("Sec-WebSocket-Key"))
	if err != nil || len(k) != 16 || r.Method != "GET" || !r.ProtoAtLeast(1, 1) || h.Get("Sec-WebSocket-Version") != "13" ||
		!strings.EqualFold(h.Get("Upgrade"), "websocket") || !strings.EqualFold(h.Get("Connection"), "upgrade") {
		return nil, fmt.Errorf("handshake asked by %s %v", r.Method, h)
	}
	c.Extensions = h.Get("Sec-WebSocket-Extensions")
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept(h.Get("Sec-WebSocket-Key"))
	if e := choose(c.Extensions); e != "" {
		answer += "\r\nSec-WebSocket-Extensions: " + e
	}
	_, err = io.WriteString(nc, answer+"\r\n\r\n")
	return c, err
}

// Send sends frames in one write.
func (c *Conn) Send(frames ...Frame) error {
	var b []byte
	for _, f := range frames {
		b = f.Append(b, c.Client)
	}
	_, err := c.Write(b)
	return err
}

// Next reads the next frame.
func (c *Conn) Next() (Frame, error) { return ReadFrame(c.R, !c.Client) }

// Want reads the next frame, which must be of that first byte and payload.
func (c *Conn) Want(b0 byte, payload []byte) error {
	f, err := c.Next()
	if err != nil {
		return fmt.Errorf("want %v: %w", Frame{b0, payload}, err)
	}
	if f.B0 != b0 || string(f.Payload) != string(payload) {
		return fmt.Errorf("got %v, want %v", f, Frame{b0, payload})
	}
	return nil
}

// WantClose reads a close frame of that code, answers it, and sees TCP closed.
func (c *Conn) WantClose(code int) error {
	f, err := c.Next()
	if err != nil {
		return fmt.Errorf("want close %d: %w", code, err)
	}
	if f.B0 != Fin|Close || Code(f.Payload) != code {
		return fmt.Errorf("got %v, want close %d", f, code)
	}
	_ = c.Send(Frame{Fin | Close, f.Payload})
	return c.Gone()
}

// Goodbye closes and wants the answer to it, then TCP closed.
func (c *Conn) Goodbye() error {
	if err := c.Send(Frame{Fin | Close, Closing(1000, "")}); err != nil {
		return err
	}
	return c.Answered(1000)
}

// Answered wants the answer to a close frame that was sent, then TCP closed.
func (c *Conn) Answered(code int) error {
	if err := c.Want(Fin|Close, Closing(code, "")); err != nil {
		return err
	}
	return c.Gone()
}

// Gone wants the end of the stream and nothing before. A server closes first; to a
// client the test's server has to. RFC 6455 section 7.1.1.
func (c *Conn) Gone() error {
	if tc, ok := c.Conn.(*net.TCPConn); ok && !c.Client {
		_ = tc.CloseWrite()
	}
	b, err := c.R.ReadByte()
	if err == nil {
		return fmt.Errorf("byte %02x after the close frame", b)
	}
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("TCP not closed: %w", err)
	}
	return nil
}
