package link

import (
	"strconv"
	"testing"

	"github.com/hermod-io/hermod/internal/redistest"
)

// A Form is sent as the command that it stands for, and its entries are used again.
func TestForm(t *testing.T) {
	r := redistest.Start(t, redistest.Options{})
	w := newWriter(t, r.Client(), Config{})
	f := w.NewForm("s", "XADD", "s", "*", "v", nil)
	for i := range 1000 {
		if err := f.Append([]byte(strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
	answered(t, w)
	wantRising(t, stream(t, r, "s"), 1000)
	if err := f.Append(); err != ErrArgument {
		t.Errorf("without the value: %v", err)
	}
	value := make([]byte, 200)
	const n = 4000
	run := func() {
		for range n {
			if err := f.Append(value); err != nil {
				t.Fatal(err)
			}
		}
		answered(t, w)
	}
	run()
	if each := testing.AllocsPerRun(5, run) / n; each > mostFormAllocs {
		t.Errorf("%.2f allocations for an entry, want at most %v", each, mostFormAllocs)
	}
}
