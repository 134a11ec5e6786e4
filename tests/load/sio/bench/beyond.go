//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/hermod-io/hermod/tests/load/sio/report"
)

// variants are what -beyond measures of our server alone, in order: those with
// a ratio beside the one above that has none.
var variants = []struct {
	entry
	ratio float64 // the most that is wanted of the processor time, to that one; 0 is beside none
	gc    float64 // the most that is wanted of the share of garbage collection; 0 is not measured
}{
	{entry: variant("procs-1", "5000 echoes a second, GOMAXPROCS=1", echoAtRate+" -n 200")},
	{entry: variant("procs-2", "5000 echoes a second, GOMAXPROCS=2, both cores", echoAtRate+" -n 200", "GOMAXPROCS=2"), ratio: 1.15},
	{entry: variant("gogc-100", "5000 echoes a second, 9500 connections", echoAtRate+manyClients), gc: 0.02},
	{entry: variant("gogc-400", "the same, GOGC=400", echoAtRate+manyClients, "GOGC=400"), gc: 0.02},
	{entry: variant("gomemlimit", "the same, GOGC=off, GOMEMLIMIT=200MiB", echoAtRate+manyClients, "GOGC=off", "GOMEMLIMIT=200MiB"), gc: 0.02},
}

const (
	echoAtRate  = "-s echo -rate 5000"
	manyClients = " -n 9500 -gc -dur 25s" // several collections
)

// variant is a line of which only processor time counts.
func variant(label, title, args string, env ...string) entry {
	e := entry{Line: report.Line{Label: label, Title: title, Kind: report.CPU}, args: args, env: env, smoke: "-rate 200"}
	e.free = label == "procs-2"
	return e
}

// beyond runs the variants in turn and writes their table.
func (b *bench) beyond(ctx context.Context, w io.Writer) error {
	p := b.programs[0]
	for round := 1; round <= b.o.rounds; round++ {
		for _, v := range variants {
			if err := b.once(ctx, p, v.entry, round); err != nil {
				return fmt.Errorf("%s: %w", v.Label, err)
			}
		}
	}
	_, err := io.WriteString(w, b.beyondTable())
	return err
}

// beyondTable has the medians, and ratios within a round.
func (b *bench) beyondTable() string {
	var t strings.Builder
	t.WriteString("| work | µs of processor time | to the first | target | GC, % | target | MB resident |\n|---|---|---|---|---|---|---|\n")
	base := ""
	for _, v := range variants {
		if v.ratio == 0 {
			base = v.Label
		}
		var cpu, ratio, gc, rss []float64
		for _, r := range b.results(v.Label) {
			cpu, gc, rss = append(cpu, r.CPU), append(gc, r.GC*100), append(rss, float64(r.RSSPeak)/1e6)
			for _, first := range b.results(base) {
				if first.Round == r.Round && v.ratio > 0 {
					ratio = append(ratio, r.CPU/first.CPU)
				}
			}
		}
		fmt.Fprintf(&t, "| %s | %s | %s | %s |", v.Title, report.SpreadOf(cpu), report.SpreadOf(ratio), most(v.ratio, 1))
		if v.gc == 0 {
			t.WriteString(" | | |\n")
			continue
		}
		fmt.Fprintf(&t, " %s | %s | %s |\n", report.SpreadOf(gc), most(v.gc, 100), report.SpreadOf(rss))
	}
	return t.String()
}

// most is a target, "" for none.
func most(v, unit float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("≤ %.2f", v*unit)
}

// results are the runs of a line that did not fail.
func (b *bench) results(label string) (list []report.Result) {
	for _, r := range b.set.Results {
		if r.Label == label && r.Error == "" {
			list = append(list, r)
		}
	}
	return list
}
