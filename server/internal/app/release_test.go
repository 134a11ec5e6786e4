package app

import (
	"fmt"
	"testing"
)

// Memory is given back once most clients have gone and the rest stays.
func TestReleaser(t *testing.T) {
	for _, c := range []struct {
		counts []int
		want   string // the looks that released
	}{
		{[]int{0, 10, 900, 0, 0}, "[]"},                                  // few
		{[]int{0, 5000, 10_000, 0, 0, 0, 0}, "[4]"},                      // all, once they are gone
		{[]int{10_000, 9000, 8000, 7000, 6000, 6000, 6000}, "[]"},        // less than half
		{[]int{10_000, 8000, 6000, 4000, 2000, 1900, 1800}, "[5]"},       // the last ones leave slowly
		{[]int{10_000, 4000, 4000, 8000, 3000, 3000, 20, 20}, "[2 5 7]"}, // more than once
		{[]int{10_000, 0, 10_000, 0, 10_000}, "[]"},                      // they come back
		{[]int{10_000, 0, 4000, 8000, 10_000}, "[]"},                     // not at once
		{[]int{10_000, 5000, 5000, 4500, 4000, 3500, 3500}, "[2]"},       // half, and no second time for as many
	} {
		got := []int{}
		at := 0
		r := releaser{release: func() { got = append(got, at) }}
		for i, n := range c.counts {
			at = i
			r.look(n)
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%v: released at %v, want %s", c.counts, got, c.want)
		}
	}
}
