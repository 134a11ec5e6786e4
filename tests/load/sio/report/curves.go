package report

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// Curves is a picture of curves over two logarithmic axes.
type Curves struct {
	Title  string
	Note   string // below the title
	XTitle string
	YTitle string
	Ticks  []Tick // of the x axis, from its beginning to its end
	Curves []Curve
}

// Tick is a mark on the x axis.
type Tick struct {
	X    float64
	Text string
}

// Curve is one line of a picture, by rising X.
type Curve struct {
	Name   string
	Points []Measured
}

// Measured is a point of a curve.
type Measured struct {
	X float64
	Y Spread
}

// Sizes of a picture of curves, in pixels.
const (
	curvesHeight = 460
	curvesLeft   = 64
	curvesRight  = 30
	curvesFoot   = 50
	tickWidth    = 32 // a mark that is nearer to the one before it is left out
)

// SVG writes the picture. It needs no script and no font of its own.
func (c Curves) SVG(w io.Writer) error {
	p := picture{title: c.Title, note: c.Note, height: curvesHeight}
	low, high := math.Inf(1), 0.0
	for _, curve := range c.Curves {
		p.series = append(p.series, curve.Name)
		for _, m := range curve.Points {
			low, high = min(low, m.Y.Min), max(high, m.Y.Max)
		}
	}
	if len(c.Ticks) < 2 || low <= 0 || high <= 0 {
		return fmt.Errorf("report: %s cannot be drawn with %d ticks and values from %v to %v", c.Title, len(c.Ticks), low, high)
	}
	x := logAxis{c.Ticks[0].X, c.Ticks[len(c.Ticks)-1].X, curvesLeft, chartWidth - curvesRight}
	y := logAxis{low / 1.3, high * 1.3, curvesHeight - curvesFoot, headHeight}
	var b strings.Builder
	c.axes(&b, x, y)
	for i, curve := range c.Curves {
		curve.draw(&b, x, y, colours[i%len(colours)])
	}
	return p.write(w, b.String())
}

// logAxis is where values from low to high are drawn.
type logAxis struct{ low, high, from, to float64 }

func (a logAxis) at(v float64) float64 {
	return a.from + (a.to-a.from)*math.Log(v/a.low)/math.Log(a.high/a.low)
}

// ticks are the values of 1, 2 and 5 times powers of ten on the axis.
func (a logAxis) ticks() (list []float64) {
	for ten := math.Pow(10, math.Floor(math.Log10(a.low))); ten <= a.high; ten *= 10 {
		for _, v := range []float64{ten, 2 * ten, 5 * ten} {
			if a.low <= v && v <= a.high {
				list = append(list, v)
			}
		}
	}
	return list
}

func (c Curves) axes(b *strings.Builder, x, y logAxis) {
	for _, v := range y.ticks() {
		fmt.Fprintf(b, `<path d="M%.0f %.1fH%.0f" stroke="#ddd"/><text x="%.0f" y="%.1f" text-anchor="end" font-size="11">%g</text>`+"\n",
			x.from, y.at(v), x.to, x.from-6, y.at(v)+4, v)
	}
	last := math.Inf(-1)
	for _, t := range c.Ticks {
		if x.at(t.X)-last < tickWidth {
			continue
		}
		last = x.at(t.X)
		fmt.Fprintf(b, `<path d="M%.1f %.0fV%.0f" stroke="#ddd"/><text x="%.1f" y="%.0f" text-anchor="middle" font-size="11">%s</text>`+"\n",
			x.at(t.X), y.from, y.to, x.at(t.X), y.from+16, html.EscapeString(t.Text))
	}
	fmt.Fprintf(b, `<text x="%.0f" y="%.0f" text-anchor="middle" fill="#555">%s</text>`+"\n", (x.from+x.to)/2, y.from+38, html.EscapeString(c.XTitle))
	fmt.Fprintf(b, `<text transform="translate(16 %.0f) rotate(-90)" text-anchor="middle" fill="#555">%s</text>`+"\n", (y.from+y.to)/2, html.EscapeString(c.YTitle))
}

// draw draws the medians, joined, and the range of each.
func (c Curve) draw(b *strings.Builder, x, y logAxis, colour string) {
	var path strings.Builder
	for i, m := range c.Points {
		px, py := x.at(m.X), y.at(m.Y.Median)
		fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], px, py)
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"><title>%s: %s</title></circle>`, px, py, colour, html.EscapeString(c.Name), m.Y)
		fmt.Fprintf(b, `<path d="M%.1f %.1fV%.1f" stroke="%s"/>`+"\n", px, y.at(m.Y.Min), y.at(m.Y.Max), colour)
	}
	fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", path.String(), colour)
}
