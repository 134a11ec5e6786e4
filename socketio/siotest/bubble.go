package siotest

import (
	"bytes"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Mode is how clients connect.
type Mode string

// The modes.
const (
	// WebSocket begins with a WebSocket.
	WebSocket Mode = "websocket"
	// Polling stays with long-polling.
	Polling Mode = "polling"
	// Upgrade begins with long-polling and changes to a WebSocket, as clients do
	// by default.
	Upgrade Mode = "upgrade"
)

// Run runs f in a bubble of fake time, see testing/synctest: time goes on only
// while everything waits, and then at once. It is synctest.Test that tells more
// of goroutines that are left: when f and its cleanups have returned each that
// does not end within a minute of fake time is reported with its stack. (Then
// synctest panics, or never returns if the goroutine is one that a ticker
// wakes.) f may not call t.Run; t is that of the bubble.
func Run(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { checkGoroutines(t) }) // the first registered is the last to run
		f(t)
	})
}

// Each runs f as a subtest for each of modes, none given meaning all three, in
// the bubble of Run. The mode is to be put into Config.Mode.
func Each(t *testing.T, f func(t *testing.T, mode Mode), modes ...Mode) {
	t.Helper()
	if len(modes) == 0 {
		modes = []Mode{WebSocket, Polling, Upgrade}
	}
	for _, mode := range modes {
		t.Run(string(mode), func(t *testing.T) {
			t.Helper()
			Run(t, func(t *testing.T) { f(t, mode) })
		})
	}
}

// grace is what a goroutine has to end in.
const grace = time.Minute

// checkGoroutines reports the goroutines of the bubble that are left.
func checkGoroutines(t testing.TB) {
	t.Helper()
	var left []string
	for range int(grace / time.Second) {
		synctest.Wait()
		if left = goroutines(); len(left) == 0 {
			return
		}
		time.Sleep(time.Second)
	}
	t.Errorf("siotest: %d goroutines are left:\n\n%s", len(left), strings.Join(left, "\n\n"))
}

var bubbleOf = regexp.MustCompile(`^goroutine \d+ \[.*(synctest bubble \d+)`)

// goroutines are the stacks of the goroutines in the bubble, but for the caller's
// and those of package synctest.
func goroutines() []string {
	buf := make([]byte, 1<<20)
	for {
		if n := runtime.Stack(buf, true); n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	stacks := strings.Split(string(bytes.TrimSpace(buf)), "\n\n")
	own := bubbleOf.FindStringSubmatch(stacks[0]) // the caller's is the first
	if own == nil {
		return nil
	}
	return slices.DeleteFunc(stacks[1:], func(s string) bool {
		its := bubbleOf.FindStringSubmatch(s)
		return its == nil || its[1] != own[1] || ofSynctest(s)
	})
}

// ofSynctest reports whether a goroutine is one of the two that wait for the test.
func ofSynctest(stack string) bool {
	_, frames, _ := strings.Cut(stack, "\n")
	return strings.HasPrefix(frames, "internal/synctest.Run(") || strings.HasPrefix(frames, "testing/synctest.")
}

// inBubble reports whether the caller runs in a bubble.
func inBubble() (in bool) {
	defer func() {
		if recover() != nil { // Wait is not allowed elsewhere
			in = false
		}
	}()
	synctest.Wait()
	return true
}
