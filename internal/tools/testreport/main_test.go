package main

import (
	"strings"
	"testing"
)

func TestVerdict(t *testing.T) {
	const good = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"chatter of A\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
`
	for name, c := range map[string]struct {
		in   string
		min  int
		ok   bool
		want []string
		not  string
	}{
		"green": {
			good + `{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}`, 1, true,
			[]string{"ok  \tp\t0.1s", "tests 1, pass 1, fail 0, skipped 0\nPASS"}, "chatter",
		},
		"too few": {good, 2, false, []string{"only 1 tests passed, there must be 2", "FAIL"}, "chatter"},
		"failed": {
			good + `{"Action":"run","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Test":"TestB","Output":"B is wrong\n"}
{"Action":"fail","Package":"p","Test":"TestB"}
{"Action":"fail","Package":"p"}`, 1, false,
			[]string{"B is wrong", "tests 2, pass 1, fail 1"}, "chatter",
		},
		"skipped": {
			good + `{"Action":"output","Package":"p","Test":"TestB","Output":"not today\n"}
{"Action":"skip","Package":"p","Test":"TestB"}`, 1, false,
			[]string{"not today", "1 tests were skipped"}, "chatter",
		},
		"panic": {
			good + `{"Action":"run","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Test":"TestB","Output":"panic: boom\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}`, 1, false,
			[]string{"panic: boom", "FAIL\tp"}, "chatter",
		},
		"does not build": {
			good + `{"ImportPath":"q","Action":"build-output","Output":"q.go:1: syntax error\n"}
{"ImportPath":"q","Action":"build-fail"}
{"Action":"fail","Package":"q","FailedBuild":"q"}`, 1, false,
			[]string{"syntax error"}, "chatter",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			r := report{out: &out, output: map[string][]string{}, tests: map[string][]string{}}
			if err := r.read(strings.NewReader(c.in)); err != nil {
				t.Fatal(err)
			}
			if ok := r.summary("unit", c.min); ok != c.ok {
				t.Errorf("verdict %v, want %v", ok, c.ok)
			}
			for _, want := range c.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in\n%s", want, &out)
				}
			}
			if strings.Contains(out.String(), c.not) {
				t.Errorf("%q in\n%s", c.not, &out)
			}
		})
	}
}
