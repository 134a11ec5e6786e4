package await

import (
	"context"
	"testing"
	"time"
)

// Patience is how long a test waits. It is only reached when something is wrong.
const Patience = time.Minute

// interval is the time between two looks at a condition.
const interval = 5 * time.Millisecond

// Until waits for a condition, looked at again and again; what is its name for the
// failure of the test, to which details, if any, adds what there is to say by then.
func Until(t testing.TB, what string, ok func() bool, details ...func() string) {
	t.Helper()
	until(t, Patience, what, ok, details...)
}

func until(t testing.TB, patience time.Duration, what string, ok func() bool, details ...func() string) {
	t.Helper()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			for _, say := range details {
				what += ": " + say()
			}
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// Context returns a context of the test that ends with it, or when something is wrong.
func Context(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	t.Cleanup(cancel)
	return ctx
}
