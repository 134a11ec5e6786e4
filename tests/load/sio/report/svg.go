package report

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// Chart is a picture of horizontal bars in groups.
type Chart struct {
	Title  string
	Note   string // below the title
	Series []string
	Groups []Group
	// Most is the end of the axis; longer bars are cut there and say so. 0 is
	// the greatest value.
	Most float64
	// Unit stands behind each value.
	Unit string
}

// Group is some bars, one for each of the series of a Chart.
type Group struct {
	Name   string
	Bars   []Spread // N = 0: no bar
	Target float64  // a mark across the group; 0 is none
}

// Sizes of a chart, in pixels.
const (
	chartWidth = 900
	leftWidth  = 300
	rightWidth = 110
	barHeight  = 13
	groupGap   = 12
	headHeight = 84
)

// colours of the series, to be read on white and on black.
var colours = []string{"#0a8f6c", "#8a8f98", "#c4622d", "#5b7bd5", "#b08900", "#a0509f"}

// SVG writes the chart. It needs no script and no font of its own.
func (c Chart) SVG(w io.Writer) error {
	most := c.Most
	for _, g := range c.Groups {
		for _, v := range g.Bars {
			if c.Most == 0 {
				most = max(most, v.Median, g.Target)
			}
		}
	}
	if most <= 0 {
		most = 1
	}
	var b strings.Builder
	y := headHeight
	for _, g := range c.Groups {
		y += c.group(&b, g, y, most)
	}
	return picture{c.Title, c.Note, c.Series, y}.write(w, b.String())
}

// picture is what all pictures have.
type picture struct {
	title, note string
	series      []string
	height      int
}

// write writes the picture, with what is drawn below its head.
func (p picture) write(w io.Writer, drawn string) error {
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="system-ui, sans-serif" font-size="12">`+"\n", chartWidth, p.height, chartWidth, p.height)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", chartWidth, p.height)
	fmt.Fprintf(&out, `<text x="12" y="24" font-size="16" font-weight="600">%s</text>`+"\n", html.EscapeString(p.title))
	fmt.Fprintf(&out, `<text x="12" y="44" fill="#555">%s</text>`+"\n", html.EscapeString(p.note))
	x := 12
	for i, name := range p.series {
		fmt.Fprintf(&out, `<rect x="%d" y="56" width="12" height="12" fill="%s"/><text x="%d" y="66">%s</text>`+"\n", x, colours[i%len(colours)], x+17, html.EscapeString(name))
		x += 40 + 8*len(name)
	}
	out.WriteString(drawn)
	out.WriteString("</svg>\n")
	_, err := io.WriteString(w, out.String())
	return err
}

// group draws the bars of a group from y on and returns its height.
func (c Chart) group(b *strings.Builder, g Group, y int, most float64) int {
	plot := float64(chartWidth - leftWidth - rightWidth)
	at := func(v float64) float64 { return leftWidth + plot*min(max(v, 0), most)/most }
	n := 0
	for i, v := range g.Bars {
		if v.N == 0 {
			continue
		}
		top, more := y+n*(barHeight+2), ""
		if v.Median > most {
			more = " →"
		}
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`, leftWidth, top, max(at(v.Median)-leftWidth, 1), barHeight, colours[i%len(colours)])
		if v.N > 1 {
			fmt.Fprintf(b, `<path d="M%.1f %.1fH%.1f" stroke="#222" stroke-width="1.2"/>`, at(v.Min), float64(top)+barHeight/2.0, at(v.Max))
		}
		fmt.Fprintf(b, `<text x="%.1f" y="%d" font-size="11">%s%s%s</text>`+"\n", max(at(v.Median), at(v.Max))+5, top+barHeight-2, number(v.Median), c.Unit, more)
		n++
	}
	height := max(n, 1) * (barHeight + 2)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", leftWidth-8, y+height/2+3, html.EscapeString(g.Name))
	if g.Target > 0 && g.Target <= most {
		fmt.Fprintf(b, `<path d="M%.1f %dV%d" stroke="#d02020" stroke-width="2" stroke-dasharray="3 2"><title>target %s</title></path>`+"\n", at(g.Target), y-3, y+height+1, number(g.Target))
	}
	return height + groupGap
}
