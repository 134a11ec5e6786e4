//go:build !race && !poison

package wscore

import (
	"testing"

	"github.com/hermod-io/hermod/internal/alloctest"
)

// TestDeflateAllocations: neither direction allocates where buffers suffice; only the
// dictionary costs one, inside the compressor.
func TestDeflateAllocations(t *testing.T) {
	data := sample("json", 1000, 1)
	for name, want := range map[string]float64{"bits 15 level 1 dictionary 0": 0, "bits 9 level 1 dictionary 0": 0, "bits 15 level 5 dictionary 1024": 0, "bits 15 level 1 dictionary 1024": 1} {
		z, dst := settingsOf()[name](), make([]byte, 0, 4096)
		if n := alloctest.PerRun(200, func() { _, _ = z.compress(dst, data[:1], data[1:]) }); n > want {
			t.Errorf("%s: compress allocates %v times", name, n)
		}
	}
	z, dst, wire := takingOver(), make([]byte, 0, 4096), wireOf(t, data)
	if n := alloctest.PerRun(200, func() { _, _ = z.inflate(dst, wire, 1<<20) }); n > 0 {
		t.Errorf("inflate allocates %v times", n)
	}
}
