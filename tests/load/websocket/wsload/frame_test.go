package main

import (
	"bytes"
	"strings"
	"testing"
)

// unmasked is what a server would send back for a frame of ours.
func unmasked(frame []byte) []byte {
	at := 2
	if frame[1] == 0x80|126 {
		at = 4
	}
	out := append([]byte{}, frame[:at]...)
	out[1] &= 0x7f
	for i, b := range frame[at+4:] {
		out = append(out, b^frame[at+i&3])
	}
	return out
}

// Whatever the pieces in which answers arrive, each is seen once and whole.
func TestAnswersInPieces(t *testing.T) {
	for _, size := range []int{8, 64, 125, 126, 1024} {
		m := newMessage(size)
		var all []byte
		for n := range uint64(5) {
			all = append(all, unmasked(m.appendNumber(nil, n<<33|n))...)
		}
		for step := 1; step < len(all); step += 1 + step/3 {
			var c conn
			var n uint64
			for rest := all; len(rest) > 0; rest = rest[min(step, len(rest)):] {
				if err := c.feed(rest[:min(step, len(rest))], func(first byte, payload []byte) error {
					err := m.check(first, payload, n<<33|n)
					n++
					return err
				}); err != nil {
					t.Fatal(err)
				}
			}
			if n != 5 {
				t.Errorf("%d B in pieces of %d: %d messages", size, step, n)
			}
		}
	}
}

// A server cannot cheat: each way in which an answer may be wrong is an error.
func TestWrongAnswersAreSeen(t *testing.T) {
	m := newMessage(64)
	right := unmasked(m.appendNumber(nil, 7))[2:]
	if err := m.check(binaryFrame, right, 7); err != nil {
		t.Fatal(err)
	}
	other := bytes.Clone(right)
	other[63] ^= 1
	for name, err := range map[string]error{
		"opcode": m.check(textFrame, right, 7),
		"number": m.check(binaryFrame, right, 8),
		"length": m.check(binaryFrame, right[:63], 7),
		"bytes":  m.check(binaryFrame, other, 7),
		"text":   checkText(textFrame, []byte("b"), []string{"a"}, false),
		"plain":  checkText(textFrame, []byte("a"), []string{"a"}, true),
		"order":  checkText(deflatedFrame, deflated("a"), []string{"a", "b"}, true),
	} {
		if err == nil {
			t.Errorf("%s: not seen", name)
		}
	}
	if _, _, _, err := nextFrame([]byte{binaryFrame, 0x80, 0, 0, 0, 0}); err == nil {
		t.Error("a masked frame of a server was taken")
	}
}

func TestDeflatedTextsAreChecked(t *testing.T) {
	all := texts(3, 600)
	if len(all[2]) != 600 || all[1] == all[2] {
		t.Fatalf("texts %q", all)
	}
	d := deflated(all[2])
	if len(d) >= 600 {
		t.Errorf("deflated to %d bytes", len(d))
	}
	if err := checkText(deflatedFrame, d, all, true); err != nil {
		t.Error(err)
	}
}

func TestReport(t *testing.T) {
	for want, values := range map[string][]float64{
		"none":                      nil,
		"    2.00 [1.00 .. 9.00]":   {9, 1, 2},
		"    1.50 [1.00 .. 2.00]":   {2, 1},
		"   15000 [15000 .. 15000]": {15000},
	} {
		if got := spread(values); got != want {
			t.Errorf("%v: %q, want %q", values, got, want)
		}
	}
	if got := slug("echo 64 B, 1 in flight"); got != "echo-64-b-1-in-flight" || strings.Contains(got, " ") {
		t.Errorf("slug %q", got)
	}
}
