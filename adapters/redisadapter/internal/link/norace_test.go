//go:build !race

package link

// mostAllocs is for one PUBLISH.
const mostAllocs = 1.0

// mostFormAllocs is for one XADD: the id in the answer and the interface it is in.
const mostFormAllocs = 3.0
