//go:build race

package link

// mostAllocs leaves room for sync.Pool, which forgets on purpose under the race
// detector.
const (
	mostAllocs     = 5.0
	mostFormAllocs = 12.0
)
