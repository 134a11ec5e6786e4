//go:build !race

package link

// mostAllocs is for one PUBLISH.
const mostAllocs = 1.0
