//go:build race

package redisadapter

// mostReceiveAllocs leaves room for sync.Pool, which forgets on purpose under the
// race detector.
const mostReceiveAllocs = 5.0
