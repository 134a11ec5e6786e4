package alloctest_test

import (
	"testing"

	"github.com/hermod-io/hermod/internal/alloctest"
)

var sink []byte

// What every call allocates is counted, and what only some do is not.
func TestPerRun(t *testing.T) {
	if n := alloctest.PerRun(100, func() { sink = make([]byte, 64) }); n != 1 {
		t.Errorf("counts %v, want 1", n)
	}
	calls := 0
	if n := alloctest.PerRun(100, func() {
		if calls++; calls < 150 {
			sink = make([]byte, 64)
		}
	}); n != 0 {
		t.Errorf("counts %v, want 0", n)
	}
	if n := alloctest.PerRun(1, func() {}); n != 0 {
		t.Errorf("counts %v of nothing", n)
	}
}
