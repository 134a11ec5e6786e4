package usercode_test

import (
	"errors"
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
