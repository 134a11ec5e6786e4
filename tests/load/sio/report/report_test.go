package report

import (
	"encoding/xml"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
)

// set has two lines and three servers, of which one is starved and one failed.
func set() *Set {
	s := &Set{
		Base: "js", Servers: []string{"ours", "js", "other"},
		Lines: []Line{
			{Label: "a", Title: "echo", Kind: CPU, Target: 0.5, Saturates: true},
			{Label: "b", Title: "idle", Kind: PerClient, Target: 5.5},
			{Label: "c", Title: "5000/s", Kind: Latency},
			{Label: "d", Title: "never run", Kind: CPU},
		},
	}
	for round := 1; round <= 4; round++ {
		noise := float64(round) // what disturbs a round disturbs all of it
		s.Results = append(s.Results,
			Result{Server: "ours", Label: "a", Round: round, CPU: 10 * noise, ServerBusy: 0.95, PerSec: 400 / noise},
			Result{Server: "js", Label: "a", Round: round, CPU: 40 * noise, ServerBusy: 0.99, PerSec: 100 / noise},
			Result{Server: "other", Label: "a", Round: round, CPU: 60 * noise, ServerBusy: 0.40},
			Result{Server: "ours", Label: "b", Round: round, PerClient: 6000},
			Result{Server: "js", Label: "b", Round: round, PerClient: 19000},
			Result{Server: "other", Label: "b", Round: round, Error: "a message | was lost"},
			Result{Server: "ours", Label: "c", Round: round, P50: 100, P99: 900},
		)
	}
	return s
}

func TestCell(t *testing.T) {
	s := set()
	c := s.Cell(s.Lines[0], "ours")
	if c.Values != (Spread{25, 10, 40, 4}) || c.Ratio != (Spread{0.25, 0.25, 0.25, 4}) || c.Starved {
		t.Errorf("%+v", c)
	}
	if c := s.Cell(s.Lines[0], "other"); !c.Starved || c.Values.N != 4 {
		t.Errorf("a starved server: %+v", c)
	}
	if c := s.Cell(s.Lines[1], "other"); c.Values.N != 0 || c.Runs != 4 || len(c.Errors) != 4 {
		t.Errorf("a failed server: %+v", c)
	}
}

// A run in which the server did not have its core does not count as soon as
// there are three in which it had.
func TestStarvedRunsAreLeftOut(t *testing.T) {
	s := set()
	s.Results = append(s.Results, Result{Server: "ours", Label: "a", Round: 5, CPU: 1000, ServerBusy: 0.84})
	if c := s.Cell(s.Lines[0], "ours"); c.Values.Max != 40 || c.Runs != 5 || c.Starved {
		t.Errorf("%+v", c)
	}
}

func TestValues(t *testing.T) {
	r := Result{CPU: 7, Clients: 1000, PerClient: 5500, RSSPeak: 16e6, RSSFresh: 12e6, RSSBase: 10e6, RSSEnd: 15e6, P99: 2500}
	for k, want := range map[Kind]float64{CPU: 7, Resident: 6, PerClient: 5.5, Growth: 50, Grown: 25, Held: 5, Latency: 2.5} {
		if got := (Line{Kind: k}).value(r); got != want {
			t.Errorf("kind %d: %v, want %v", k, got, want)
		}
	}
}

func TestMemoryInWords(t *testing.T) {
	s := &Set{Base: "js", Servers: []string{"js"}, Lines: []Line{{Label: "churn", Title: "churn", Kind: Growth}}}
	s.Results = []Result{{Server: "js", Label: "churn", Round: 1, Clients: 1, RSSFresh: 12e6, RSSBase: 13e6, RSSEnd: 15e6, RSSPeak: 20e6, ServerBusy: 1}}
	l := s.Lines[0]
	if got, want := l.more(s.Cell(l, "js")), "churn, js: 12.0 MB when it was fresh, 15.0 at the end; at most 7.00 above the base meanwhile"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMarkdown(t *testing.T) {
	var b strings.Builder
	s := set()
	if err := s.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| echo | µs | 25.0 [10.0–40.0] | 100 [40.0–160] | 150 [60.0–240] ⁽1⁾ | 0.25 | ≤ 0.50 × js | met |\n",
		"| idle | KB | 6.00 | 19.0 | failed ⁽2⁾ | 0.32 | ≤ 5.50 KB | **missed** |\n",
		"(2): failed: a message / was lost\n",
		"| echo | 95, 0 | 99, 0 | 40, 0 |\n",
		"half of the answers within 0.10 ms, 99 % within 0.90 ms",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "never run") {
		t.Error("a line that was not run has a row")
	}
	if m := s.Missed(); len(m) != 1 || m[0] != "idle" {
		t.Errorf("missed %q", m)
	}
}

func TestPictures(t *testing.T) {
	s := set()
	for i, x := range []float64{100, 10, 1000} { // in any order
		label := string(rune('p' + i))
		s.Lines = append(s.Lines, Line{Label: label, Kind: CPU, Scale: Point{Curve: "rooms", X: x, Of: ", in memory", Alone: true}})
		s.Results = append(s.Results, Result{Server: "ours", Label: label, Round: 1, CPU: x / 100})
	}
	for i := range s.Results {
		if r := &s.Results[i]; r.Label == "c" {
			r.Latency = []float64{50, 100, 200, 400, 500, 900, 1000, 2000, 3000, 4000}
		}
	}
	pictures := s.Pictures()
	if got, want := slices.Sorted(maps.Keys(pictures)), []string{"cpu.svg", "latency.svg", "memory.svg", "rooms.svg", "throughput.svg"}; !slices.Equal(got, want) {
		t.Fatalf("pictures %q, want %q", got, want)
	}
	for name, p := range pictures {
		var b strings.Builder
		if err := p.SVG(&b); err != nil {
			t.Fatal(err)
		}
		if n := elements(t, b.String()); n < 10 || strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") || p.Caption() == "" {
			t.Errorf("%s: %s", name, b.String())
		}
	}
	rooms := pictures["rooms.svg"].(Curves)
	if len(rooms.Curves) != 1 || rooms.Curves[0].Name != "ours, in memory" || rooms.Curves[0].Points[0] != (Measured{10, Spread{0.1, 0.1, 0.1, 1}}) || rooms.Ticks[2] != (Tick{1000, "1000"}) {
		t.Errorf("%+v", rooms)
	}
	if got := pictures["throughput.svg"].(Chart).Groups; len(got) != 1 || got[0].Bars[0] != (Spread{4, 4, 4, 4}) {
		t.Errorf("%+v", got)
	}
	late := pictures["latency.svg"].(Curves)
	if got := late.Curves[0].Points; len(got) != len(Shares) || got[5].Y.Median != 0.9 {
		t.Errorf("%+v", got)
	}
	var table strings.Builder
	if err := s.Markdown(&table); err != nil || strings.Contains(table.String(), "|  | µs | 1.00") {
		t.Errorf("what is on a curve only is in the table: %v, %s", err, table.String())
	}
}

// What cannot be drawn is an error, not a picture without sense; names are text.
func TestOddCurves(t *testing.T) {
	c := Curves{Title: "<&>", Ticks: []Tick{{1, "<"}, {10, "&"}}, Curves: []Curve{{Name: "<a>", Points: []Measured{{1, Spread{1, 1, 1, 1}}}}}}
	var b strings.Builder
	if err := c.SVG(&b); err != nil {
		t.Error(err)
	}
	elements(t, b.String())
	for _, odd := range []Curves{{Curves: c.Curves}, {Ticks: c.Ticks}, {Ticks: c.Ticks, Curves: []Curve{{Points: []Measured{{1, Spread{}}}}}}} {
		if err := odd.SVG(io.Discard); err == nil {
			t.Errorf("drawn: %+v", odd)
		}
	}
}

// elements reads a picture and returns how many elements it has.
func elements(t *testing.T, svg string) (n int) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		tok, err := d.Token()
		if err == io.EOF {
			return n
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		if _, ok := tok.(xml.StartElement); ok {
			n++
		}
	}
}
