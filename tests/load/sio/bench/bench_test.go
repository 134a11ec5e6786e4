//go:build linux

package main

import (
	"crypto/tls"
	"strings"
	"testing"
)

func TestPlan(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range plan {
		if seen[e.Label] || e.Title == "" || !strings.HasPrefix(e.args, "-s ") {
			t.Errorf("%+v", e)
		}
		seen[e.Label] = true
		able := 0
		for _, p := range programs("build", ".") {
			for _, tag := range p.tags {
				if tag == "all" || tag == e.tag {
					able++
					break
				}
			}
		}
		if able < 2 {
			t.Errorf("%s: %d servers can do %s", e.Label, able, e.tag)
		}
	}
}

func TestChosen(t *testing.T) {
	for _, c := range []struct {
		list, name string
		want       bool
	}{{"", "echo", true}, {"echo,idle", "echo-w10", true}, {"echo,idle", "idle", true}, {"echo-w10", "echo", false}} {
		if got := chosen(c.list, c.name); got != c.want {
			t.Errorf("%q in %q: %t", c.name, c.list, got)
		}
	}
}

func TestReplaceSection(t *testing.T) {
	doc := "a\n" + sectionBegin + "old\n" + sectionEnd + "b\n"
	got, err := replaceSection(doc, "new")
	if err != nil || got != "a\n"+sectionBegin+"\nnew\n"+sectionEnd+"b\n" {
		t.Errorf("%q, %v", got, err)
	}
	if again, err := replaceSection(got, "new"); err != nil || again != got {
		t.Errorf("%q, %v", again, err)
	}
	if _, err := replaceSection("no lines", "new"); err == nil {
		t.Error("a document without the lines is taken")
	}
}

func TestMakeCert(t *testing.T) {
	cert, key, err := makeCert(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		t.Error(err)
	}
}
