//go:build linux

package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// fault is what a fake server does wrong, once.
type fault struct {
	on   string // "ack" or "msg"
	kind string // "lose", "double", "swap" (with the next) or "change"
	nth  int    // to which of them, from 1
}

// fake is a Socket.IO server over WebSocket, as small as can be, with a fault.
type fake struct {
	fault fault

	mu    sync.Mutex // guards what follows
	seen  int
	rooms map[string][]*fakeConn
	conns map[*fakeConn]bool
	polls []int // by session over long-polling: GETs that were answered
	pongs int
}

type fakeConn struct {
	f  *fake
	nc net.Conn

	mu   sync.Mutex // guards what follows
	held []byte     // a frame that goes out behind the next
}

// serveFake starts a fake server that ends with the test and returns its address.
func serveFake(t *testing.T, f fault) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &fake{fault: f, rooms: map[string][]*fakeConn{}, conns: map[*fakeConn]bool{}}
	var all sync.WaitGroup
	all.Go(func() { // ends when the listener is closed
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.serve(nc) }) // ends with the connection
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.mu.Lock()
		for c := range s.conns {
			_ = c.nc.Close()
		}
		s.mu.Unlock()
		all.Wait()
	})
	return l.Addr().String()
}

func (s *fake) serve(nc net.Conn) {
	defer nc.Close()
	c := &fakeConn{f: s, nc: nc}
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, c)
		for room, members := range s.rooms {
			kept := members[:0:0]
			for _, m := range members {
				if m != c {
					kept = append(kept, m)
				}
			}
			s.rooms[room] = kept
		}
	}()
	in := bufio.NewReader(nc)
	r, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	if r.URL.Query().Get("transport") == "polling" {
		s.servePolling(nc, in, r)
		return
	}
	s.mu.Lock()
	s.conns[c] = true
	s.mu.Unlock()
	_, _ = io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+accept+"\r\n\r\n")
	c.write("", textFrame, `0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`)
	for {
		packet, err := readFrame(in)
		if err != nil {
			return
		}
		c.packet(packet)
	}
}

// readFrame returns the payload of a masked frame.
func readFrame(in *bufio.Reader) (string, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(in, head); err != nil {
		return "", err
	}
	n := int(head[1] & 0x7f)
	if n == 126 {
		var long [2]byte
		if _, err := io.ReadFull(in, long[:]); err != nil {
			return "", err
		}
		n = int(binary.BigEndian.Uint16(long[:]))
	}
	payload := make([]byte, 4+n)
	if _, err := io.ReadFull(in, payload); err != nil {
		return "", err
	}
	if [4]byte(payload[:4]) != key {
		return "", fmt.Errorf("another mask")
	}
	mask(payload[4:], 0)
	return string(payload[4:]), nil
}

func (c *fakeConn) packet(p string) {
	switch {
	case p == "40":
		c.write("", textFrame, `40{"sid":"y"}`)
	case strings.HasPrefix(p, "42"):
		i := strings.IndexByte(p, '[')
		if i < 0 {
			return
		}
		var args []json.RawMessage
		if json.Unmarshal([]byte(p[i:]), &args) != nil || len(args) == 0 {
			return
		}
		c.event(p[2:i], args)
	}
}

func (c *fakeConn) event(id string, args []json.RawMessage) {
	s := c.f
	switch string(args[0]) {
	case `"echo"`:
		c.write("ack", textFrame, "43"+id+"["+string(args[1])+"]")
	case `"join"`:
		s.mu.Lock()
		s.rooms[string(args[1])] = append(s.rooms[string(args[1])], c)
		s.mu.Unlock()
		c.write("", textFrame, "43"+id+"[]")
	case `"pub"`:
		s.mu.Lock()
		members := s.rooms[string(args[1])]
		s.mu.Unlock()
		for _, m := range members {
			m.write("msg", textFrame, `42["msg",`+string(args[2])+`]`)
		}
	case `"gc"`:
		c.write("", textFrame, "43"+id+"[]")
	case `"stats"`:
		s.mu.Lock()
		n := len(s.conns) + len(s.polls)
		s.mu.Unlock()
		c.write("", textFrame, fmt.Sprintf(`43%s[{"clients":%d,"rooms":0}]`, id, n))
	}
}

// planted returns the kind of the fault if it is the turn of what is written.
func (s *fake) planted(what string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if what == "" || what != s.fault.on {
		return ""
	}
	if s.seen++; s.seen == s.fault.nth {
		return s.fault.kind
	}
	return ""
}

// write sends a frame without a mask, or does what the fault says.
func (c *fakeConn) write(what string, first byte, payload string) {
	kind := c.f.planted(what)
	c.mu.Lock()
	defer c.mu.Unlock()
	if kind == "change" {
		i := strings.LastIndexAny(payload, "abcdef")
		payload = payload[:i] + "z" + payload[i+1:]
	}
	frame := []byte{first, byte(len(payload))}
	if n := len(payload); n > 125 {
		frame = []byte{first, 126, byte(n >> 8), byte(n)}
	}
	frame = append(frame, payload...)
	if c.f.fault.kind == "split" && len(payload) > 2 { // no fault at all
		frame = append([]byte{first &^ 0x80, 1, payload[0], 0, 1, payload[1], 0x80, byte(len(payload) - 2)}, payload[2:]...)
	}
	switch kind {
	case "lose":
		return
	case "double":
		frame = append(frame, frame...)
	case "swap":
		c.held = frame
		return
	}
	_, _ = c.nc.Write(append(frame, c.held...)) // the reader notices
	c.held = nil
}
