package usercode_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/hermod-io/hermod/internal/usercode"
)

var errOwn = errors.New("own")

// on runs f on a goroutine that it may end.
func on(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

func TestTell(t *testing.T) {
	for name, c := range map[string]struct {
		f    func() error
		want string
	}{
		"nothing": {func() error { return nil }, ""},
		"error":   {func() error { return errOwn }, "own"},
		"panic":   {func() error { panic("on purpose") }, "socketio: panic: on purpose"},
		"Goexit":  {func() error { runtime.Goexit(); return nil }, "socketio: runtime.Goexit was called"},
	} {
		t.Run(name, func(t *testing.T) {
			told := ""
			on(func() {
				usercode.Tell(func() error { return usercode.Guarded(c.f) }, func(err error) {
					told += err.Error()
					var p *usercode.Panic
					if isPanic := errors.As(err, &p); isPanic == (err == errOwn) || isPanic && (p.Stack == nil) != (err == usercode.Exited) {
						t.Errorf("told %#v", err)
					}
				})
			})
			if told != c.want {
				t.Errorf("told %q, want %q", told, c.want)
			}
		})
	}
}

func TestEach(t *testing.T) {
	var got []int
	on(func() {
		usercode.Each([]int{1, 2, 3}, func(i int) {
			got = append(got, i)
			runtime.Goexit()
		})
	})
	if !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("called for %v", got)
	}
}

func TestRunner(t *testing.T) {
	var r usercode.Runner
	r.Stop() // of what did not run
	var got []string
	run := func(f func() error) {
		err := r.Run(f)
		got = append(got, fmt.Sprint(err))
	}
	for range 2 {
		run(func() error { return nil })
		run(func() error { return errOwn })
		run(func() error { panic("on purpose") })
		run(func() error { runtime.Goexit(); return nil })
		run(func() error { return errOwn })
		r.Stop()
	}
	want := []string{"<nil>", "own", "socketio: panic: on purpose", "socketio: runtime.Goexit was called", "own"}
	if !slices.Equal(got, slices.Concat(want, want)) {
		t.Errorf("errors %q", got)
	}
}
