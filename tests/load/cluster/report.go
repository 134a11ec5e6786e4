//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
)

// result is what a pair of nodes has shown: microseconds of processor time and
// bytes out of Redis for each message, microseconds from emit to socket.
type result struct {
	publisher, receiver, redis float64
	bytes, perSecond, p50      float64
}

func (r result) String() string {
	return fmt.Sprintf("%7.0f/s  publisher %6.2f µs  receiver %6.2f µs  redis %6.2f µs  %5.0f B  p50 %5.0f µs",
		r.perSecond, r.publisher, r.receiver, r.redis, r.bytes, r.p50)
}

// columns are what the table has of a result.
var columns = []func(result) float64{
	func(r result) float64 { return r.publisher },
	func(r result) float64 { return r.receiver },
	func(r result) float64 { return r.redis },
	func(r result) float64 { return r.bytes },
	func(r result) float64 { return r.perSecond },
	func(r result) float64 { return r.p50 },
}

// report prints medians, and ratios made within each round.
func report(o *options, all map[string][]result) {
	if len(o.flavours) == 0 {
		return
	}
	fmt.Println("| flavour | nodes | µs a message: publisher | receiver | Redis | B out of Redis | messages/s | p50 µs |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	for _, flavour := range o.flavours {
		for _, kind := range o.kinds {
			row(flavour, kind, func(get func(result) float64) (list []float64) {
				for _, r := range all[flavour+" "+kind] {
					list = append(list, get(r))
				}
				return list
			})
		}
		theirs := all[flavour+" "+official]
		for _, kind := range o.kinds {
			these := all[flavour+" "+kind]
			if kind == official || len(these) == 0 || len(theirs) == 0 {
				continue
			}
			row(flavour, kind+" to official", func(get func(result) float64) (list []float64) {
				for i := range these {
					list = append(list, get(these[i])/get(theirs[i]))
				}
				return list
			})
		}
	}
}

func row(flavour, name string, list func(func(result) float64) []float64) {
	cells := []string{flavour, name}
	for _, c := range columns {
		l := list(c)
		slices.Sort(l)
		cells = append(cells, fmt.Sprintf("%s [%s–%s]", short(median(l)), short(l[0]), short(l[len(l)-1])))
	}
	fmt.Printf("| %s |\n", strings.Join(cells, " | "))
}

// median is that of a sorted list.
func median(l []float64) float64 {
	n := len(l)
	return (l[n/2] + l[(n-1)/2]) / 2
}

func short(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
