package packet

import (
	"bytes"
	"errors"
	"testing"
)

func TestFrames(t *testing.T) {
	for _, c := range []struct {
		p      Packet
		msg    string
		binary bool
	}{
		{Packet{Type: Open, Data: []byte("{}")}, "0{}", false},
		{Packet{Type: Close}, "1", false},
		{Packet{Type: Ping, Data: []byte("probe")}, "2probe", false},
		{Packet{Type: Pong}, "3", false},
		{Packet{Type: Message}, "4", false},
		{Packet{Type: Message, Data: []byte("€")}, "4€", false},
		{Packet{Type: Upgrade}, "5", false},
		{Packet{Type: Noop}, "6", false},
		{Packet{Type: Message, Binary: true, Data: []byte{0, 1}}, "\x00\x01", true},
		{Packet{Type: Message, Binary: true}, "", true},
	} {
		msg, binary := AppendFrame([]byte("x"), c.p)
		if string(msg) != "x"+c.msg || binary != c.binary {
			t.Errorf("AppendFrame(%v) = %q, %v", c.p, msg, binary)
		}
		got := DecodeBinary([]byte(c.msg))
		if !c.binary {
			var err error
			if got, err = DecodeText([]byte(c.msg)); err != nil {
				t.Errorf("DecodeText(%q): %v", c.msg, err)
			}
		}
		if !equal(got, c.p) {
			t.Errorf("decoded %q to %v, want %v", c.msg, got, c.p)
		}
	}
}

func TestDecodeTextRefuses(t *testing.T) {
	for _, s := range []string{"", "7", "a", " 4", "\x04", "\x00", "é"} {
		_, err := DecodeText([]byte(s))
		var e *Error
		if !errors.As(err, &e) || e.Reason == "" {
			t.Errorf("DecodeText(%q): error %v", s, err)
		}
	}
}

func TestDecodeTextBase64(t *testing.T) {
	msg := []byte("bAQI=")
	p, err := DecodeText(msg)
	if err != nil || !equal(p, Packet{Type: Message, Binary: true, Data: []byte{1, 2}}) {
		t.Fatalf("got %v, %v", p, err)
	}
	if string(msg) != "bAQI=" {
		t.Errorf("the message was overwritten: %q", msg)
	}
}

func TestTypeNames(t *testing.T) {
	want := []string{"open", "close", "ping", "pong", "message", "upgrade", "noop", "unknown"}
	for i, name := range want {
		if got := (Open + Type(i)).String(); got != name {
			t.Errorf("type %d is %q, want %q", i, got, name)
		}
	}
}

func equal(a, b Packet) bool {
	return a.Type == b.Type && a.Binary == b.Binary && bytes.Equal(a.Data, b.Data)
}

func TestValidText(t *testing.T) {
	valid := Packet{Type: Message, Data: []byte("Zoë\x00\ufffd")}
	if got := ValidText(valid); &got.Data[0] != &valid.Data[0] {
		t.Error("valid text was copied")
	}
	bytes := Packet{Type: Message, Binary: true, Data: []byte("\xff")}
	if got := ValidText(bytes); string(got.Data) != "\xff" {
		t.Errorf("bytes: %q", got.Data)
	}
	for text, want := range map[string]string{"\xffa": "\ufffda", "€\xe2\x82": "€\ufffd\ufffd", "\xed\xa0\x80": "\ufffd\ufffd\ufffd"} {
		p := Packet{Type: Message, Data: []byte(text)}
		if got := ValidText(p); string(got.Data) != want || string(p.Data) != text {
			t.Errorf("%q: %q, of %q", text, got.Data, p.Data)
		}
	}
}
