package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// Picture is a Chart or Curves.
type Picture interface {
	SVG(w io.Writer) error
	// Caption tells what is seen.
	Caption() string
}

// Caption implements Picture.
func (c Chart) Caption() string { return c.Title }

// Caption implements Picture.
func (c Curves) Caption() string { return c.Title }

// Pictures are those of a comparison, by the name of their file.
func (s *Set) Pictures() map[string]Picture {
	pictures := map[string]Picture{}
	for name, c := range s.charts() {
		if len(c.Groups) > 0 {
			pictures[name] = c
		}
	}
	for name, c := range map[string]Curves{"latency.svg": s.distribution(), "members.svg": s.scale("members"), "rooms.svg": s.scale("rooms"), "namespaces.svg": s.scale("namespaces")} {
		if len(c.Curves) > 0 {
			pictures[name] = c
		}
	}
	return pictures
}

// charts are those with a group of bars for each line.
func (s *Set) charts() map[string]Chart {
	cpu := Chart{Title: "Processor time of the server, as a ratio to " + s.Base, Series: s.Servers, Most: 2, Unit: " ×",
		Note: "Medians of the ratios within a round, with their range; shorter is better. Dashed: the target."}
	rate := Chart{Title: "Throughput on one core, as a ratio to " + s.Base, Series: s.Servers, Most: 10, Unit: " ×",
		Note: "Messages, deliveries or connections a second, medians of the ratios within a round, with their range; longer is better."}
	memory := Chart{Title: "Memory of an idle connection", Series: s.Servers, Unit: " KB",
		Note: "Resident set, browser-like headers; shorter is better. Dashed: the target."}
	for _, l := range s.Lines {
		g, r := Group{Name: l.Title, Target: l.Target}, Group{Name: l.Title}
		measured := 0
		for _, name := range s.Servers {
			c := s.Cell(l, name)
			v := c.Values
			if l.Kind == CPU {
				v = c.Ratio
			}
			measured += v.N
			g.Bars, r.Bars = append(g.Bars, v), append(r.Bars, c.Rate)
		}
		switch {
		case measured == 0 || l.Scale.Alone:
		case l.Kind == CPU:
			cpu.Groups, rate.Groups = append(cpu.Groups, g), append(rate.Groups, r)
		case l.Kind == Resident || l.Kind == PerClient:
			memory.Groups = append(memory.Groups, g)
		}
	}
	return map[string]Chart{"cpu.svg": cpu, "throughput.svg": rate, "memory.svg": memory}
}

// distribution is that of the latencies of the first line on a schedule.
func (s *Set) distribution() Curves {
	c := Curves{Title: "Latencies on a schedule", Note: "From the time a message was due, medians of the rounds with their range; lower is better.",
		XTitle: "share of the messages with no greater latency", YTitle: "ms"}
	for _, share := range []float64{0.25, 0.5, 0.9, 0.99, 0.999, 0.9999} {
		c.Ticks = append(c.Ticks, Tick{1 / (1 - share), fmt.Sprintf("%g %%", share*100)})
	}
	i := slices.IndexFunc(s.Lines, func(l Line) bool { return l.Kind == Latency })
	if i < 0 {
		return c
	}
	for _, name := range s.Servers {
		curve := Curve{Name: name}
		for k, share := range Shares {
			var ms []float64
			for _, r := range s.counting(s.Lines[i], name, nil) {
				if k < len(r.Latency) && r.Latency[k] > 0 {
					ms = append(ms, r.Latency[k]/1e3)
				}
			}
			if len(ms) > 0 {
				curve.Points = append(curve.Points, Measured{1 / (1 - share), SpreadOf(ms)})
			}
		}
		if len(curve.Points) > 0 {
			c.Curves = append(c.Curves, curve)
		}
	}
	return c
}

// scaled tells what the curves of scale show.
var scaled = map[string]Curves{
	"members":    {Title: "A delivery, by members of the room", XTitle: "members"},
	"rooms":      {Title: "A delivery, by rooms", XTitle: "rooms"},
	"namespaces": {Title: "An echo, by namespaces", XTitle: "namespaces"},
}

// scale shows the cost of each by how much there is of something.
func (s *Set) scale(of string) Curves {
	c := scaled[of]
	c.Note, c.YTitle = "Processor time, medians of the rounds with their range; lower is better. In memory: without a network, clients included.", "µs"
	places := map[string]int{}
	for _, l := range s.Lines {
		if l.Scale.Curve != of {
			continue
		}
		for _, server := range s.Servers {
			v := s.Cell(l, server).Values
			if v.N == 0 {
				continue
			}
			name := server + l.Scale.Of
			i, ok := places[name]
			if !ok {
				i = len(c.Curves)
				places[name] = i
				c.Curves = append(c.Curves, Curve{Name: name})
			}
			c.Curves[i].Points = append(c.Curves[i].Points, Measured{l.Scale.X, v})
			c.Ticks = append(c.Ticks, Tick{l.Scale.X, fmt.Sprintf("%g", l.Scale.X)})
		}
	}
	byX := func(a, b Tick) int { return cmp.Compare(a.X, b.X) }
	slices.SortFunc(c.Ticks, byX)
	c.Ticks = slices.Compact(c.Ticks)
	for _, curve := range c.Curves {
		slices.SortFunc(curve.Points, func(a, b Measured) int { return cmp.Compare(a.X, b.X) })
	}
	if len(c.Ticks) < 2 {
		c.Curves = nil
	}
	return c
}
