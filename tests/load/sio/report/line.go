package report

import (
	"fmt"
	"slices"
)

// Kind says what a line measures, and so which field of a Result counts.
type Kind int

const (
	CPU       Kind = iota // processor time of the server for each, in µs; compared as a ratio
	Resident              // memory of each client with the garbage there is, in KB
	PerClient             // the same after a garbage collection
	Growth                // memory at the end above that at the base, in %
	Grown                 // the same, above that of the fresh server
	Held                  // memory at the end above that at the base, in MB
	Latency               // 99th percentile, in ms
)

// relative reports whether the target of a kind is a ratio to the base server.
func (k Kind) relative() bool { return k == CPU || k == Latency }

// unit is what the values of a kind are in.
func (k Kind) unit() string {
	return [...]string{"µs", "KB", "KB", "%", "%", "MB", "ms"}[k]
}

// Line is one thing that is measured.
type Line struct {
	Label string
	Title string
	Kind  Kind
	// Target is the most that is wanted: of CPU and Latency a ratio to the base
	// server, of the others a value; 0 is none.
	Target float64
	// Saturates says that the server is meant to be busy all the time.
	Saturates bool
	// Scale is the line's point on a curve.
	Scale Point
}

// Point is where a line is on a curve, which shows how a cost grows.
type Point struct {
	Curve string // "" is on none
	X     float64
	// Of is told of the curve beside the name of the server.
	Of string
	// Alone says that the line is on the curve only, not in the table.
	Alone bool
}

// Busy is the share of its core that a server must have had for a run of a
// line that saturates to count.
const Busy = 0.85

// value of a run.
func (l Line) value(r Result) float64 {
	switch l.Kind {
	case Resident:
		return float64(r.RSSPeak-r.RSSBase) / float64(max(r.Clients, 1)) / 1e3
	case PerClient:
		return r.PerClient / 1e3
	case Growth:
		return (float64(r.RSSEnd)/float64(max(r.RSSBase, 1)) - 1) * 100
	case Grown:
		return (float64(r.RSSEnd)/float64(max(r.RSSFresh, 1)) - 1) * 100
	case Held:
		return float64(r.RSSEnd-r.RSSBase) / 1e6
	case Latency:
		return r.P99 / 1e3
	}
	return r.CPU
}

// Spread is a median with the least and the greatest of some values.
type Spread struct {
	Median, Min, Max float64
	N                int // number of values
}

// SpreadOf returns the spread of values, which it sorts.
func SpreadOf(values []float64) (s Spread) {
	n := len(values)
	if n == 0 {
		return s
	}
	slices.Sort(values)
	return Spread{(values[(n-1)/2] + values[n/2]) / 2, values[0], values[n-1], n}
}

func (s Spread) String() string {
	if s.N == 0 {
		return "–"
	}
	if s.N == 1 || number(s.Min) == number(s.Max) {
		return number(s.Median)
	}
	return fmt.Sprintf("%s [%s–%s]", number(s.Median), number(s.Min), number(s.Max))
}

// number has three digits that say something.
func number(v float64) string {
	switch abs := max(v, -v); {
	case abs >= 100:
		return fmt.Sprintf("%.0f", v)
	case abs >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// Cell is what a server did in the runs of a line.
type Cell struct {
	Server string
	Runs   int // all runs
	Values Spread
	// Ratio to the base server, each within its round; of no value for the base.
	Ratio  Spread
	Busy   Spread // server's share of its core
	Gen    Spread // generator's
	Rate   Spread // that were counted each second, as a ratio to the base server, each within its round
	P50    Spread // ms
	P99    Spread // ms
	Peak   Spread // MB above the base
	Fresh  Spread // MB of the fresh server
	End    Spread // MB at the end
	Errors []string
	// Starved says that the server did not have its core in enough runs, so
	// that those where it did not are among the values.
	Starved bool
}

// Set are the runs of a comparison.
type Set struct {
	Base    string // the server that others are compared with
	Servers []string
	Lines   []Line
	Results []Result
}

// Cell gathers the runs of a server in a line.
func (s *Set) Cell(l Line, server string) Cell {
	c := Cell{Server: server}
	ours, base := s.counting(l, server, &c), s.counting(l, s.Base, nil)
	var v, ratio, rate, busy, gen, p50, p99, peak, fresh, end []float64
	for _, r := range ours {
		v, busy, gen = append(v, l.value(r)), append(busy, r.ServerBusy), append(gen, r.GenBusy)
		p50, p99 = append(p50, r.P50/1e3), append(p99, r.P99/1e3)
		peak = append(peak, float64(r.RSSPeak-r.RSSBase)/1e6)
		fresh, end = append(fresh, float64(r.RSSFresh)/1e6), append(end, float64(r.RSSEnd)/1e6)
		for _, b := range base {
			if b.Round == r.Round && l.value(b) > 0 {
				ratio = append(ratio, l.value(r)/l.value(b))
			}
			if b.Round == r.Round && b.PerSec > 0 {
				rate = append(rate, r.PerSec/b.PerSec)
			}
		}
	}
	c.Values, c.Ratio, c.Busy, c.Gen = SpreadOf(v), SpreadOf(ratio), SpreadOf(busy), SpreadOf(gen)
	c.Rate, c.P50, c.P99 = SpreadOf(rate), SpreadOf(p50), SpreadOf(p99)
	c.Peak, c.Fresh, c.End = SpreadOf(peak), SpreadOf(fresh), SpreadOf(end)
	return c
}

// counting returns the runs that count: those in which the server had its core
// if there are at least three such rounds, else all. Failed ones never do.
func (s *Set) counting(l Line, server string, c *Cell) []Result {
	var all, saturated []Result
	for _, r := range s.Results {
		if r.Label != l.Label || r.Server != server {
			continue
		}
		if c != nil {
			c.Runs++
		}
		if r.Error != "" {
			if c != nil {
				c.Errors = append(c.Errors, r.Error)
			}
			continue
		}
		all = append(all, r)
		if r.ServerBusy >= Busy {
			saturated = append(saturated, r)
		}
	}
	if !l.Saturates || len(saturated) == len(all) || len(saturated) >= 3 {
		if l.Saturates {
			return saturated
		}
		return all
	}
	if c != nil {
		c.Starved = true
	}
	return all
}
