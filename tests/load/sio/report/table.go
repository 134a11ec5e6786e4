package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Markdown writes a table with a row for each line: each server's values, and
// for the first server the ratio to the base and what became of the target.
func (s *Set) Markdown(w io.Writer) error {
	var b strings.Builder
	notes := &notes{}
	b.WriteString("| work | unit |")
	for _, name := range s.Servers {
		fmt.Fprintf(&b, " %s |", name)
	}
	fmt.Fprintf(&b, " %s to %s | target | |\n|---|---|%s---|---|---|\n", s.Servers[0], s.Base, strings.Repeat("---|", len(s.Servers)))
	for _, l := range s.Lines {
		cells := make([]Cell, len(s.Servers))
		for i, name := range s.Servers {
			cells[i] = s.Cell(l, name)
		}
		if cells[0].Runs == 0 || l.Scale.Alone {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s |", l.Title, l.Kind.unit())
		for _, c := range cells {
			fmt.Fprintf(&b, " %s |", c.text(notes))
		}
		fmt.Fprintf(&b, " %s | %s | %s |\n", cells[0].Ratio, l.target(s.Base), s.verdict(l, cells[0]))
	}
	for _, n := range notes.list {
		fmt.Fprintf(&b, "\n%s\n", n)
	}
	s.details(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// text is a cell of the table.
func (c Cell) text(n *notes) string {
	switch {
	case c.Runs == 0:
		return ""
	case c.Values.N == 0:
		return "failed" + n.mark("failed: "+c.Errors[0])
	}
	t := c.Values.String()
	if c.Starved {
		t += n.mark(fmt.Sprintf("the server did not have %.0f %% of its core in enough rounds, because others used the machine: the line is not to be counted", Busy*100))
	}
	if k := len(c.Errors); k > 0 {
		t += n.mark(fmt.Sprintf("%d of %d runs of %s failed: %s", k, c.Runs, c.Server, c.Errors[0]))
	}
	return t
}

func (l Line) target(base string) string {
	if l.Target == 0 {
		return ""
	}
	if l.Kind.relative() {
		return fmt.Sprintf("≤ %.2f × %s", l.Target, base)
	}
	return fmt.Sprintf("≤ %s %s", number(l.Target), l.Kind.unit())
}

// Met reports whether the target of a line is met by what a cell says, and
// whether that can be told.
func (l Line) Met(c Cell) (met, known bool) {
	got := c.Values
	if l.Kind.relative() {
		got = c.Ratio
	}
	return got.N > 0 && got.Median <= l.Target, l.Target > 0 && got.N > 0
}

func (s *Set) verdict(l Line, c Cell) string {
	met, known := l.Met(c)
	switch {
	case !known:
		return ""
	case c.Starved && met:
		return "met, not counted"
	case c.Starved:
		return "missed, not counted"
	case met:
		return "met"
	}
	return "**missed**"
}

// details writes what the table has no room for: how busy the cores were,
// latencies on a schedule, and the parts of memory.
func (s *Set) details(b *strings.Builder) {
	fmt.Fprint(b, "\nShares of a core, server and generator, in %, medians:\n\n| work |")
	for _, name := range s.Servers {
		fmt.Fprintf(b, " %s |", name)
	}
	fmt.Fprintf(b, "\n|---|%s\n", strings.Repeat("---|", len(s.Servers)))
	var more []string
	for _, l := range s.Lines {
		row, any := "| "+l.Title+" |", false
		if l.Kind == Grown || l.Kind == PerClient || l.Scale.Alone {
			continue // the same runs as those of the line before, or on a curve
		}
		for _, name := range s.Servers {
			c := s.Cell(l, name)
			if c.Values.N == 0 {
				row += " |"
				continue
			}
			any = true
			row += fmt.Sprintf(" %.0f, %.0f |", c.Busy.Median*100, c.Gen.Median*100)
			if m := l.more(c); m != "" {
				more = append(more, m)
			}
		}
		if any {
			b.WriteString(row + "\n")
		}
	}
	if len(more) > 0 {
		b.WriteString("\n")
	}
	for _, m := range more {
		b.WriteString("* " + m + "\n")
	}
}

// more tells the other figures of a cell, "" if there are none.
func (l Line) more(c Cell) string {
	switch l.Kind {
	case Latency:
		return fmt.Sprintf("%s, %s: half of the answers within %s ms, 99 %% within %s ms of when the message was due", l.Title, c.Server, c.P50, c.P99)
	case Growth:
		return fmt.Sprintf("%s, %s: %s MB when it was fresh, %s at the end; at most %s above the base meanwhile", l.Title, c.Server, c.Fresh, c.End, c.Peak)
	case Held:
		return fmt.Sprintf("%s, %s: %s MB at most above the base meanwhile, garbage included", l.Title, c.Server, c.Peak)
	}
	return ""
}

// notes numbers what is told below the table, each once.
type notes struct{ list []string }

// mark returns the number of a note, adding it if it is new.
func (n *notes) mark(text string) string {
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + " …"
	}
	text = strings.NewReplacer("|", "/", "\n", " ", "<", "&lt;").Replace(text)
	for i, t := range n.list {
		if strings.HasSuffix(t, ": "+text) {
			return fmt.Sprintf(" ⁽%d⁾", i+1)
		}
	}
	n.list = append(n.list, fmt.Sprintf("(%d): %s", len(n.list)+1, text))
	return fmt.Sprintf(" ⁽%d⁾", len(n.list))
}

// Missed returns the titles of the lines whose target the first server misses.
func (s *Set) Missed() (titles []string) {
	for _, l := range s.Lines {
		c := s.Cell(l, s.Servers[0])
		if met, known := l.Met(c); known && !met {
			titles = append(titles, l.Title)
		}
	}
	return slices.Clip(titles)
}
