package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// text is the memory in one line.
func (s stats) text() string {
	return fmt.Sprintf("%d sessions, %d rooms, %d goroutines, live heap %d KB, in use %d KB, stacks %d KB, resident %d KB",
		s.Clients, s.Rooms, s.Goroutines, s.Live>>10, s.InUse>>10, s.Stack>>10, s.RSS>>10)
}

// String is the report of the run.
func (s *soak) String() string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "server\tclients\tnumber\tconnects\tlosses\trecovered\tnew\tevents\tasked\tlost (documented)\tsent\tcalls\tcalls lost\t")
	var total tally
	for _, k := range s.kinds {
		var t tally
		n := 0
		for _, c := range s.all {
			if c.kind == k {
				n++
				c.ledger.change(func(of *tally) { t.add(*of) })
			}
		}
		total.add(t)
		if n == 0 {
			continue
		}
		s.row(w, appNames[k.app], k.name, n, t)
	}
	s.row(w, "", "all", len(s.all), total)
	_ = w.Flush() // a Builder takes all
	out.WriteString("cuts by the proxy:")
	for f := range fates {
		var n int64
		for _, p := range s.proxies {
			n += p.counts[f].Load()
		}
		fmt.Fprintf(&out, " %d %s", n, f)
	}
	fmt.Fprintf(&out, "\nserver: %d events in, %d sent (a broadcast is one)\n", s.end.In, s.end.Out)
	s.memory(&out)
	fmt.Fprintf(&out, "\nseed %d, %v after a start of %v, the clients slowed down by %d %%, violations: %d\n",
		s.seed, s.took.Round(100*time.Millisecond), s.ramp.Round(100*time.Millisecond), s.gov.slowed(), s.faults.count())
	return out.String()
}

func (s *soak) row(w *tabwriter.Writer, app, name string, n int, t tally) {
	fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n",
		app, name, n, t.Connects, t.Losses, t.Recovered, t.New, t.Events, t.Asks, t.Lost, t.Up, t.Calls, t.CallsLost)
}

// memory prints the series of samples.
func (s *soak) memory(out *strings.Builder) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "server\tsessions\trooms\tgoroutines\tlive KB\tin use KB\tstacks KB\tresident KB\t")
	row := func(when string, x stats) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", when, x.Clients, x.Rooms, x.Goroutines, x.Live>>10, x.InUse>>10, x.Stack>>10, x.RSS>>10)
	}
	row("before", s.base)
	for i, x := range s.series {
		if len(s.series) <= samples/2 || i%2 == 1 {
			row(x.at.Round(time.Second).String(), x.stats)
		}
	}
	row("after", s.end)
	_ = w.Flush()
}
