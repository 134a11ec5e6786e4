package adaptertest

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// recorder is a testing.TB for a case that may fail: it keeps what the case
// said and does not fail the test around it.
type recorder struct {
	testing.TB // what a recorder does not have is a nil dereference

	mu       sync.Mutex // guards what follows
	failed   bool
	said     []string
	cleanups []func()
}

// record runs f with a recorder, and what f left to be cleaned up.
func record(f func(testing.TB)) *recorder {
	r := new(recorder)
	alone := func(f func()) { // a goroutine of its own, since FailNow ends it
		done := make(chan struct{})
		go func() {
			defer close(done)
			f()
		}()
		<-done
	}
	alone(func() { f(r) })
	for _, f := range slices.Backward(r.cleanups) {
		alone(f)
	}
	return r
}

func (r *recorder) Helper()      {}
func (r *recorder) Name() string { return "recorder" }

func (r *recorder) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *recorder) say(fail bool, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = r.failed || fail
	r.said = append(r.said, text)
}

func (r *recorder) Logf(format string, args ...any)   { r.say(false, fmt.Sprintf(format, args...)) }
func (r *recorder) Errorf(format string, args ...any) { r.say(true, fmt.Sprintf(format, args...)) }
func (r *recorder) Error(args ...any)                 { r.say(true, fmt.Sprint(args...)) }

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Fatal(args ...any) {
	r.Error(args...)
	runtime.Goexit()
}

func TestRecorderEndsAtFatal(t *testing.T) {
	var order []string
	r := record(func(tb testing.TB) {
		tb.Cleanup(func() { order = append(order, "first"); tb.Errorf("in cleanup") })
		tb.Cleanup(func() { order = append(order, "second") })
		tb.Logf("log %d", 1)
		if tb.Failed() {
			order = append(order, "failed too early")
		}
		tb.Fatalf("fatal %d", 2)
		order = append(order, "after fatal")
	})
	if !r.Failed() || !slices.Equal(r.said, []string{"log 1", "fatal 2", "in cleanup"}) || !slices.Equal(order, []string{"second", "first"}) {
		t.Errorf("failed %v, said %q, order %q", r.Failed(), r.said, order)
	}
}
