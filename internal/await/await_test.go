package await

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// fake is a test that only takes down how it failed.
type fake struct {
	testing.TB
	failure string
}

func (f *fake) Helper() {}

func (f *fake) Fatalf(format string, a ...any) {
	f.failure = fmt.Sprintf(format, a...)
	runtime.Goexit()
}

func TestUntil(t *testing.T) {
	n := 0
	Until(t, "three looks", func() bool { n++; return n == 3 })
	if n != 3 {
		t.Errorf("%d looks", n)
	}
	f, done := new(fake), make(chan struct{})
	go func() {
		defer close(done)
		until(f, time.Nanosecond, "the impossible", func() bool { return false }, func() string { return "3 are left" })
	}()
	<-done
	if want := "not within 1ns: the impossible: 3 are left"; f.failure != want {
		t.Errorf("got %q, want %q", f.failure, want)
	}
}

func TestContext(t *testing.T) {
	var err error
	ctx := t.Context()
	t.Run("inner", func(t *testing.T) { ctx = Context(t); err = ctx.Err() })
	if err != nil || ctx.Err() == nil {
		t.Errorf("during the test %v, behind it %v", err, ctx.Err())
	}
}
