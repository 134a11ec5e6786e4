//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// The nonce of all handshakes, the sample of RFC 6455 section 1.3, and its answer.
const (
	nonce  = "dGhlIHNhbXBsZSBub25jZQ=="
	accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// browser is what a browser that was on the site before says beside the
// headers of a WebSocket handshake; with them they are about 870 bytes.
const browser = "Pragma: no-cache\r\n" +
	"Cache-Control: no-cache\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Accept-Language: en-GB,en-US;q=0.9,en;q=0.8,da;q=0.7\r\n" +
	"Cookie: _consent=analytics%3D0%26functional%3D1; theme=dark; lang=en-GB; session="

// stages of a client.
type stage byte

const (
	dialing   stage = iota
	shaking         // the WebSocket handshake was sent
	opening         // waits for the packet open
	joining         // CONNECT was sent
	joined          // to the main namespace
	upgrading       // over polling, until the WebSocket is all there is
)

// client is a Socket.IO client over one WebSocket.
type client struct {
	r     *run
	id    int
	conn  *conn
	stage stage
	began int64 // when it was dialed, see run.now
	// joined is told that the main namespace is joined.
	joined func(c *client) error
	// packet gets each message of the joined namespace: first byte of the frame,
	// and payload with the Engine.IO type.
	packet func(c *client, first byte, payload []byte) error
	// upgrade is the polling side of a client that began there, or nil.
	upgrade *upgrade
	// parts are those of a message that came in frames so far, partsFirst is the
	// first byte as if it came in one.
	parts      []byte
	partsFirst byte
	// leaving says that the end of the connection is no fault.
	leaving bool

	echo  *echoer      // of the scenario echo and what uses it
	rooms []membership // of the scenario rooms
}

// dial begins a client.
func (r *run) dial(id int, joined func(c *client) error) (*client, error) {
	c := &client{r: r, id: id, joined: joined, began: r.now()}
	conn, err := r.l.dial(c, r.receive)
	c.conn = conn
	return c, err
}

// request is the handshake; sid is of a session to upgrade, or "".
func (c *client) request(sid string) string {
	o := &c.r.o
	var b strings.Builder
	b.WriteString("GET /socket.io/?EIO=4&transport=websocket")
	if sid != "" {
		b.WriteString("&sid=" + sid)
	}
	b.WriteString(" HTTP/1.1\r\nHost: " + o.addr + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: http://" + o.addr + "\r\n")
	if o.browser {
		b.WriteString(browserHeaders())
	}
	b.WriteString("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + nonce + "\r\n")
	switch {
	case o.payload == "deflate":
		b.WriteString("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n")
	case o.browser:
		b.WriteString("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

func (c *client) opened() (err error) {
	if c.r.trusted != nil {
		if c.conn.layer, err = newLayer(c.conn.fd, c.r.trusted); err != nil {
			return err
		}
	}
	sid := ""
	if c.upgrade != nil {
		sid = c.upgrade.sid
	}
	c.stage = shaking
	c.conn.send(func(dst []byte) []byte { return append(dst, c.request(sid)...) })
	return nil
}

func (c *client) ended(err error) error {
	if c.leaving {
		return nil
	}
	return fmt.Errorf("client %d, stage %d: the connection ended: %w", c.id, c.stage, err)
}

func (c *client) take(p []byte) (used int, err error) {
	if c.stage == shaking {
		used = bytes.Index(p, []byte("\r\n\r\n"))
		if used < 0 {
			return 0, nil
		}
		used += 4
		if err := c.shaken(string(p[:used])); err != nil {
			return 0, err
		}
	}
	for !c.conn.closed {
		first, payload, size, err := nextFrame(p[used:])
		if err != nil {
			return used, c.fault(err)
		}
		if size == 0 {
			break
		}
		used += size
		if first&0x0f == 0 || first < 0x80 || c.partsFirst != 0 && first&8 == 0 {
			first, payload, err = c.part(first, payload)
		}
		if err == nil && first != 0 {
			err = c.frame(first, payload)
		}
		if err != nil {
			return used, c.fault(err)
		}
	}
	return used, nil
}

// part puts a message together that comes in several frames. Until it is whole
// the first byte returned is 0. RFC 6455 section 5.4.
func (c *client) part(first byte, payload []byte) (byte, []byte, error) {
	begins := first&0x0f != 0
	if begins == (c.partsFirst != 0) || first&0x0f >= 8 {
		return 0, nil, fmt.Errorf("frame %#x is out of place", first)
	}
	if begins {
		c.parts, c.partsFirst = append(c.parts[:0], payload...), first|0x80
		return 0, nil, nil
	}
	c.parts = append(c.parts, payload...)
	if first&0x80 == 0 {
		return 0, nil, nil
	}
	first, c.partsFirst = c.partsFirst, 0
	return first, c.parts, nil
}

func (c *client) fault(err error) error { return fmt.Errorf("client %d: %w", c.id, err) }

// shaken checks the answer to the handshake.
func (c *client) shaken(answer string) error {
	if !strings.HasPrefix(answer, "HTTP/1.1 101 ") || !strings.Contains(answer, accept) {
		return c.fault(fmt.Errorf("handshake answered with %.200q", answer))
	}
	if want := c.r.o.payload == "deflate"; strings.Contains(answer, "permessage-deflate") != want {
		return c.fault(fmt.Errorf("deflate wanted: %t, handshake answered with %.300q", want, answer))
	}
	c.stage = opening
	if c.upgrade != nil {
		c.stage = upgrading
		c.text("2probe")
	}
	return nil
}

// text sends an Engine.IO packet.
func (c *client) text(packet string) {
	c.conn.send(func(dst []byte) []byte { return appendFrame(dst, textFrame, []byte(packet)) })
}

// frame handles a frame. Engine.IO: 0 open, 2 ping, 3 pong, 4 message.
func (c *client) frame(first byte, payload []byte) error {
	if c.stage == joined && (len(payload) == 0 || payload[0] != '2' || len(payload) > 1) && first != closeFrame && first != pingFrame {
		return c.packet(c, first, payload)
	}
	switch {
	case first == closeFrame:
		if c.leaving {
			return nil
		}
		return fmt.Errorf("closed by the server: %q", payload)
	case first == pingFrame:
		c.conn.send(func(dst []byte) []byte { return appendFrame(dst, 0x8a, payload) })
		return nil
	case first == textFrame && string(payload) == "2":
		c.r.pings++
		c.text("3")
		return nil
	case c.stage == upgrading:
		return c.upgrade.probed(string(payload))
	case c.stage == opening && bytes.HasPrefix(payload, []byte("0{")):
		c.stage = joining
		c.conn.send(func(dst []byte) []byte { return append(dst, c.r.connect...) })
		return nil
	case c.stage == joining && c.r.isConnect(first, payload):
		c.stage = joined
		return c.joined(c)
	}
	return fmt.Errorf("stage %d: unexpected frame %#x %.80q", c.stage, first, payload)
}

// leave says good-bye and closes.
func (c *client) leave() {
	c.text("41")
	c.conn.send(func(dst []byte) []byte { return appendFrame(dst, closeFrame, []byte{3, 0xe8}) })
	c.drop()
}

// drop closes without a word of Engine.IO.
func (c *client) drop() {
	c.leaving = true
	c.conn.close()
}

// surplus is the packet function of clients that expect nothing.
func surplus(_ *client, _ byte, payload []byte) error {
	return fmt.Errorf("unasked message %.80q", payload)
}

// dialAll opens n clients, o.ramp at a time.
func (r *run) dialAll(n int, each func(c *client)) ([]*client, error) {
	var all []*client
	ready := 0
	err := r.l.until(fmt.Sprintf("connecting %d clients", n), 2*patience, func() bool {
		for len(all) < n && len(all)-ready < r.o.ramp {
			c, err := r.dial(len(all), func(c *client) error { ready++; return nil })
			if err != nil {
				r.failed = errors.Join(r.failed, err)
				return true
			}
			c.packet = surplus
			if each != nil {
				each(c)
			}
			all = append(all, c)
		}
		return ready == n
	})
	return all, errors.Join(r.failed, err)
}

// call sends an event with an ack, whose arguments are handed to f. It takes
// the packet function of the client meanwhile.
func (c *client) call(event, args string, f func(args string) error) {
	before := c.packet
	c.packet = func(c *client, _ byte, payload []byte) error {
		p := string(payload)
		if !strings.HasPrefix(p, "430[") {
			return fmt.Errorf("%s: not an ack: %.80q", event, p)
		}
		c.packet = before
		return f(p[3:])
	}
	c.text(`420["` + event + `"` + args + `]`)
}

// ask calls and waits for the answer.
func (r *run) ask(c *client, event string) (answer string, err error) {
	done := false
	c.call(event, "", func(args string) error { answer, done = args, true; return nil })
	err = r.l.until(event, patience, func() bool { return done })
	return answer, err
}
