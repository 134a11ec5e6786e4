package suite

import (
	"slices"
	"strings"
)

// Totals are how many cases the groups have, as in the Autobahn test suite.
var Totals = map[string]int{"1": 16, "2": 11, "3": 7, "4": 10, "5": 20, "6": 145, "7": 37, "9": 54, "10": 1, "12": 90, "13": 126}

// Opens is how many cases are open, those that the Autobahn test suite calls informational.
const Opens = 3

// All returns the 517 cases.
func All() []Case {
	return slices.Concat(framing(), utf8s(), closing(), limits(), deflates())
}

// Group is the group of the case.
func (k Case) Group() string {
	g, _, _ := strings.Cut(k.ID, ".")
	return g
}

// Open reports whether the RFC leaves open what is right.
func (k Case) Open() bool { return k.End.kind == open }
