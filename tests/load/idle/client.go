package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// patience bounds each step of a connection.
const patience = 30 * time.Second

// client is one connection. After connect its goroutine owns the reading side
// and answers pings; close ends it.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	done chan struct{}
	once sync.Once
	err  error // why it ended; read after done
}

// key is the nonce of all handshakes, the sample of RFC 6455 section 1.3, and
// accept its answer.
const (
	key    = "dGhlIHNhbXBsZSBub25jZQ=="
	accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// request is the handshake of a browser that was on the site before.
func request(host string) string {
	return "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n" +
		"Host: " + host + "\r\n" +
		"Connection: Upgrade\r\n" +
		"Pragma: no-cache\r\n" +
		"Cache-Control: no-cache\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\r\n" +
		"Upgrade: websocket\r\n" +
		"Origin: http://" + host + "\r\n" +
		"Sec-WebSocket-Version: 13\r\n" +
		"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
		"Accept-Language: en-GB,en-US;q=0.9,en;q=0.8,da;q=0.7\r\n" +
		"Cookie: _consent=analytics%3D0%26functional%3D1; theme=dark; lang=en-GB; " +
		"session=" + strings.Repeat("c2Vzc2lvbi1pZC1vZi1hLXVzZXI", 6) + "; csrf=" + strings.Repeat("7d1f0b5a", 6) + "; last=1732380000\r\n" +
		"Sec-WebSocket-Key: " + key + "\r\n" +
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" +
		"\r\n"
}

// connect opens connection number i: handshake, CONNECT to the main namespace,
// join of the room, one echo. Then it is idle.
func connect(ctx context.Context, addr string, i int, room string) (*client, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%16))}}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, in: bufio.NewReaderSize(conn, 512), done: make(chan struct{})}
	if err := c.enter(addr, room); err != nil {
		return nil, errors.Join(fmt.Errorf("connection %d: %w", i, err), conn.Close())
	}
	go c.idle() // ended by close
	return c, nil
}

func (c *client) enter(addr, room string) error {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if err := c.handshake(addr); err != nil {
		return err
	}
	echo := `["` + strings.Repeat("0123456789abcdef", 4) + `"]`
	steps := []struct{ send, want string }{
		{"", "0{"},
		{"40", "40{"},
		{`420["join","` + room + `"]`, "430[]"},
		{`421["echo",` + echo[1:], "431" + echo},
	}
	for _, s := range steps {
		if s.send != "" {
			if err := c.send(s.send); err != nil {
				return err
			}
		}
		got, err := c.receive()
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", s.want, err)
		}
		if !strings.HasPrefix(got, s.want) {
			return fmt.Errorf("received %q, want %s", got, s.want)
		}
	}
	return c.conn.SetDeadline(time.Time{})
}

// handshake sends the request and reads the answer's header.
func (c *client) handshake(host string) error {
	if _, err := io.WriteString(c.conn, request(host)); err != nil {
		return err
	}
	var status string
	accepted := false
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return err
		}
		line = strings.TrimRight(line, "\r\n")
		switch name, value, _ := strings.Cut(line, ":"); {
		case status == "":
			status = line
		case line == "":
			if !strings.HasPrefix(status, "HTTP/1.1 101 ") || !accepted {
				return fmt.Errorf("handshake answered with %q", status)
			}
			return nil
		case strings.EqualFold(name, "Sec-WebSocket-Accept"):
			accepted = strings.TrimSpace(value) == accept
		}
	}
}

// idle answers pings until the connection ends.
func (c *client) idle() {
	defer close(c.done)
	for c.err == nil {
		var packet string
		if packet, c.err = c.receive(); c.err != nil {
			return
		}
		if packet == "2" { // Engine.IO ping
			c.err = c.send("3")
		}
	}
}

// lost returns why the connection ended, nil while it stands.
func (c *client) lost() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// close ends the connection and waits for its goroutine.
func (c *client) close() {
	c.once.Do(func() {
		_ = c.conn.Close() // nothing is to be saved
		<-c.done
	})
}

// send writes a text frame of at most 125 bytes with an empty mask.
// RFC 6455 section 5.2.
func (c *client) send(text string) error {
	if len(text) > 125 {
		return fmt.Errorf("%d bytes do not fit", len(text))
	}
	frame := append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)
	_, err := c.conn.Write(frame)
	return err
}

// receive returns the next text message; it takes whole frames only.
func (c *client) receive() (string, error) {
	var head [2]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return "", err
	}
	n := int(head[1])
	if n == 126 {
		var long [2]byte
		if _, err := io.ReadFull(c.in, long[:]); err != nil {
			return "", err
		}
		n = int(binary.BigEndian.Uint16(long[:]))
	}
	if head[0] != 0x81 || head[1] > 126 {
		return "", fmt.Errorf("frame starts with % x", head)
	}
	text := make([]byte, n)
	_, err := io.ReadFull(c.in, text)
	return string(text), err
}
