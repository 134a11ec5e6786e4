package main

import (
	"fmt"
	"slices"
	"strings"
)

// base is the library that the others are compared with.
const base = "gws"

// table gathers the figures of one measurement, a value for each name and round.
type table struct {
	title, unit string
	names       []string
	values      map[string][]float64
}

func newTable(title, unit string, names []string) *table {
	return &table{title: title, unit: unit, names: names, values: map[string][]float64{}}
}

// add notes the value of a round.
func (t *table) add(name string, v float64) { t.values[name] = append(t.values[name], v) }

// print prints medians and ranges, and the ratios to base where there is one.
func (t *table) print() {
	fmt.Printf("\n%s (%s)\n", t.title, t.unit)
	for _, name := range t.names {
		fmt.Printf("  %-20s %s", name, spread(t.values[name]))
		if b := t.values[base]; b != nil && name != base {
			fmt.Printf("   ratio to %s %s", base, spread(pair(t.values[name], b, func(x, y float64) float64 { return x / y })))
		}
		fmt.Println()
	}
}

// more prints what name has more than than, within each round.
func (t *table) more(name, than string) {
	if t.values[name] == nil || t.values[than] == nil {
		return
	}
	d := pair(t.values[name], t.values[than], func(x, y float64) float64 { return x - y })
	fmt.Printf("  %-20s more than %s: %s %s\n", name, than, spread(d), t.unit)
}

// pair combines the values of each round.
func pair(x, y []float64, f func(x, y float64) float64) []float64 {
	all := make([]float64, min(len(x), len(y)))
	for i := range all {
		all[i] = f(x[i], y[i])
	}
	return all
}

// spread is the median of values and, in brackets, the least and the greatest.
func spread(values []float64) string {
	if len(values) == 0 {
		return "none"
	}
	s := slices.Sorted(slices.Values(values))
	return fmt.Sprintf("%8s [%s .. %s]", number(median(s)), number(s[0]), number(s[len(s)-1]))
}

// median of sorted values, at least one.
func median(s []float64) float64 {
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

func number(v float64) string {
	if v >= 100 || v <= -100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// slug makes a file's name of a title.
func slug(title string) string {
	return strings.ToLower(strings.Join(strings.FieldsFunc(title, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}), "-"))
}
