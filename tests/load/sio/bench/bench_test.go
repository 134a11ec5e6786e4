//go:build linux

package main

import (
	"strings"
	"testing"

	"github.com/hermod-io/hermod/tests/load/sio/report"
)

func TestPlan(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range plan {
		if seen[e.Label] || e.Title == "" || strings.HasPrefix(e.args, "-s ") == (e.inMemory != "") {
			t.Errorf("%+v", e)
		}
		seen[e.Label] = true
		if e.inMemory != "" {
			continue
		}
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

func TestBeyondTable(t *testing.T) {
	b := &bench{}
	for i, v := range variants {
		if v.ratio > 0 && i == 0 {
			t.Error("the first variant is beside none")
		}
		b.set.Results = append(b.set.Results, report.Result{Label: v.Label, Round: 1, CPU: float64(10 + i), GC: 0.01, RSSPeak: 5e7},
			report.Result{Label: v.Label, Round: 2, Error: "failed"})
	}
	for _, want := range []string{"GOMAXPROCS=2, both cores | 11.0 | 1.10 | ≤ 1.15 | | | |", "GOGC=400 | 13.0 | – |  | 1.00 | ≤ 2.00 | 50.0 |"} {
		if got := b.beyondTable(); !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
}

func TestMetricOf(t *testing.T) {
	out := "goos: linux\nBenchmarkScale/rooms/100 \t 13526\t 51858 ns/op\t 2516.5 cpu-ns/each\t 160 B/op\nPASS\n"
	if got, err := metricOf(out); got != 2516.5 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "PASS", "cpu-ns/each 1", "x cpu-ns/each"} {
		if got, err := metricOf(bad); err == nil {
			t.Errorf("%q: %v", bad, got)
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
