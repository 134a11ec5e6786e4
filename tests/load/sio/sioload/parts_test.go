//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
)

func TestHistogram(t *testing.T) {
	var h histogram
	for v := range int64(100_000) {
		h.add(v * 1000)
	}
	for _, q := range []float64{.01, .5, .99, .999} {
		if got, want := h.quantile(q), q*1e5; got < want*.97 || got > want*1.01 {
			t.Errorf("quantile %v is %v, want about %v", q, got, want)
		}
	}
	for _, v := range []int64{0, 1, 63, 64, 127, 128, 1 << 20, 1<<40 + 12345} {
		if c := class(v); lower(c) > v || lower(c+1) <= v {
			t.Errorf("%d is in class %d of %d to %d", v, c, lower(c), lower(c+1))
		}
	}
}

func TestNextFrame(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 65535, 65536} {
		payload := bytes.Repeat([]byte("x"), n)
		frame := appendFrame(nil, textFrame, payload)
		at := len(frame) - n
		mask(frame[at:], 0)
		frame = append(frame[:at-4], frame[at:]...) // as a server sends it
		frame[1] &^= 0x80
		first, got, size, err := nextFrame(append(frame, 1, 2, 3))
		if err != nil || first != textFrame || size != len(frame) || !bytes.Equal(got, payload) {
			t.Errorf("%d bytes: %#x, %d bytes, size %d, %v", n, first, len(got), size, err)
		}
		for cut := range min(len(frame), 12) {
			if _, _, size, err := nextFrame(frame[:cut]); size != 0 || err != nil {
				t.Errorf("%d bytes cut to %d: size %d, %v", n, cut, size, err)
			}
		}
	}
	for _, p := range []string{"\x81\x85mask", "\x81\x7f\x00\x00\x00\x01\x00\x00\x00\x00"} {
		if _, _, _, err := nextFrame([]byte(p)); err == nil {
			t.Errorf("% x is taken", p)
		}
	}
}

// What is sent is valid, of the size that the name of the payload says, and
// differs from message to message.
func TestMessages(t *testing.T) {
	for kind, size := range map[string][2]int{"text": {64, 64}, "json": {190, 215}, "json1k": {1000, 1060}} {
		m, err := newMessage(kind, 62, 7, true)
		if err != nil {
			t.Fatal(err)
		}
		got := string(m.build(nil, 1234, 0xabcdef12))
		id, text, _ := strings.Cut(got, "[")
		var args []json.RawMessage
		if err := json.Unmarshal([]byte("["+text), &args); err != nil || id != "421234" || len(args) != 2 || !strings.Contains(got, "abcdef12") {
			t.Fatalf("%s: %q, %v", kind, got, err)
		}
		if n := len(args[1]); n < size[0] || n > size[1] {
			t.Errorf("%s: %d bytes", kind, n)
		}
		var v any
		if err := json.Unmarshal(args[1], &v); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(v) // compact, with sorted keys
		if err != nil {
			t.Fatal(err)
		}
		if string(args[1]) != string(again) {
			t.Errorf("%s is %s, its normal form is %s", kind, args[1], again)
		}
		if other := string(m.build(nil, 1235, 0xabcdef13)); other == got {
			t.Errorf("%s: two messages are equal", kind)
		}
	}
	if _, err := newMessage("other", 64, 1, false); err == nil {
		t.Error("a payload of no kind is built")
	}
}

// The frames of masked messages are those of the plain ones.
func TestMaskedMessage(t *testing.T) {
	for _, kind := range []string{"text", "json", "bin"} {
		m, err := newMessage(kind, 1024, 3, false)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := newMessage(kind, 1024, 3, true)
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for p := m.build(nil, 4321, 99); len(p) > 0; {
			at := 6
			n := int(p[1] & 0x7f)
			if n == 126 {
				n, at = int(p[2])<<8|int(p[3]), 8
			}
			payload := p[at : at+n]
			mask(payload, 0)
			got, p = append(got, payload...), p[at+n:]
		}
		if want := plain.build(nil, 4321, 99); !bytes.Equal(got, want) {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
}

// The MessagePack packets are what the project's own parser reads and writes.
func TestMsgPack(t *testing.T) {
	m, err := newMessage("msgpack", 300, 5, true)
	if err != nil {
		t.Fatal(err)
	}
	p := m.build(nil, 4242, 17)
	text, err := echoArgument(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := packMap(p, func(name string, v []byte) {
		if name == "id" && packInt(v) != 4242 {
			t.Errorf("id % x", v)
		}
	}); err != nil {
		t.Error(err)
	}
	if len(text) != 300 || !strings.HasPrefix(text, "00000011"+"00000005") {
		t.Errorf("argument %q", text)
	}
	for cut := range len(p) {
		if err := packMap(p[:cut], func(string, []byte) {}); err == nil {
			t.Fatalf("cut to %d bytes it is taken", cut)
		}
	}
}

func echoArgument(p []byte) (text string, err error) {
	err = packMap(p, func(name string, v []byte) {
		if name == "data" {
			v = v[1+5:] // the array and "echo"
			head, n := packHead(v)
			text = string(v[head : head+n])
		}
	})
	return text, err
}

func TestDeflater(t *testing.T) {
	d, err := newDeflater()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []int{firstID, firstID + 7, firstID + deflateIDs - 1} {
		frame := bytes.Clone(d.frames[id])
		payload := frame[8:] // it has more than 125 bytes
		mask(payload, 0)
		got, err := d.open(frame[0], payload)
		if err != nil || !strings.HasPrefix(string(got), fmt.Sprintf(`42%d["echo",{`, id)) || !strings.Contains(string(got), fmt.Sprintf("user-%08x", id)) || len(got) < 2000 {
			t.Errorf("id %d: %d bytes %.60q, %v", id, len(got), got, err)
		}
	}
	if _, err := d.open(textFrame, nil); err == nil {
		t.Error("a text that was not compressed is taken")
	}
}

func TestNextAnswer(t *testing.T) {
	for answer, want := range map[string]string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":                                      "ok",
		"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n":                                        "",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n": "abc",
	} {
		body, size, err := nextAnswer([]byte(answer + "HTTP"))
		if err != nil || size != len(answer) || string(body) != want {
			t.Errorf("%q: %q, size %d, %v", answer, body, size, err)
		}
		for cut := range len(answer) {
			if _, size, err := nextAnswer([]byte(answer[:cut])); size != 0 || err != nil {
				t.Errorf("%q cut to %d: size %d, %v", answer, cut, size, err)
			}
		}
	}
	for _, answer := range []string{"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"} {
		if _, _, err := nextAnswer([]byte(answer)); err == nil {
			t.Errorf("%q is taken", answer)
		}
	}
}

// The generator talks to this machine alone.
func TestLoopbackOnly(t *testing.T) {
	for _, ip := range []string{"192.0.2.1", "::1"} {
		if l, err := newLoop(&net.TCPAddr{IP: net.ParseIP(ip), Port: 80}); err == nil {
			l.close()
			t.Errorf("%s is taken", ip)
		}
	}
}
