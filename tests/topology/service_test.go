package main

import (
	"context"
	"strings"
	"testing"
)

// What programs write comes out in whole lines with their names.
func TestLines(t *testing.T) {
	var out strings.Builder
	c := &console{w: &out}
	a, b := &lines{name: "a", out: c}, &lines{name: "b", out: c}
	for _, w := range []struct {
		l    *lines
		text string
	}{{a, "one\ntw"}, {b, "x\n"}, {a, "o\n\nrest"}} {
		if n, err := w.l.Write([]byte(w.text)); n != len(w.text) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if want := "a | one\nb | x\na | two\na | \n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

// What is missing is said before anything is started.
func TestMissing(t *testing.T) {
	for what, o := range map[string]options{
		"docker-compose.yml": {addr: "127.0.0.1:0", root: t.TempDir()},
		"no-such-server":     {addr: "127.0.0.1:0", root: "../..", server: "no-such-server"},
		"invalid port":       {addr: "127.0.0.1:70000", root: "../.."},
	} {
		if err := run(context.Background(), o, new(strings.Builder)); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
