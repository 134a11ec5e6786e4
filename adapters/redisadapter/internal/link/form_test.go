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
	allocates(t, w, "an entry", mostFormAllocs, func() {
		if err := f.Append(value); err != nil {
			t.Fatal(err)
		}
	})
}
