package usercode

import (
	"fmt"
	"runtime/debug"
)

// Panic is a panic of the application's code as an error, or [Exited].
type Panic struct {
	Value any    // of the panic; nil if there was none
	Stack []byte // of the goroutine, as debug.Stack has it; nil if there was none
}

// Exited is the error of code that ended its goroutine. Callers let it stand until
// the code has returned, and deal with it in a deferred function, as [Tell] does.
var Exited error = new(Panic)

// Error tells what happened.
func (p *Panic) Error() string {
	if error(p) == Exited {
		return "socketio: runtime.Goexit was called"
	}
	return fmt.Sprintf("socketio: panic: %v", p.Value)
}

// Recovered is to be deferred around the application's code: it turns a panic into
// an error, and leaves err as it is if there is none.
func Recovered(err *error) {
	if v := recover(); v != nil {
		*err = &Panic{v, debug.Stack()}
	}
}

// Guarded calls f; a panic becomes an error.
func Guarded(f func() error) (err error) {
	defer Recovered(&err)
	return f()
}

// Tell calls f, and then tell with its error, unless that is nil, or with Exited if
// f has ended the goroutine. Panics are f's own matter.
func Tell(f func() error, tell func(error)) {
	err := Exited
	defer func() {
		if err != nil {
			tell(err)
		}
	}()
	err = f()
}

// Each calls f for all of list in order, also if one call ends the goroutine.
func Each[T any](list []T, f func(T)) {
	if len(list) > 0 {
		defer Each(list[1:], f)
		f(list[0])
	}
}

// Apart calls f on a goroutine of its own, waits for it, and returns its error, its
// panic as one, or Exited: f does not end the goroutine of the caller.
func Apart(f func() error) error {
	done := make(chan error, 1)
	go report(f, done)
	return <-done
}

// report calls f and says on done what Apart returns.
func report(f func() error, done chan<- error) {
	err := Exited
	defer func() { done <- err }()
	err = Guarded(f)
}

// Runner runs functions one after the other on a goroutine that is not the caller's,
// as Apart does, and the same for all of them until one ends it. The zero value is
// ready; it belongs to one caller, who ends with Stop.
type Runner struct {
	work chan func() error
	done chan error
}

// Run is Apart.
func (r *Runner) Run(f func() error) error {
	if r.work == nil {
		r.work, r.done = make(chan func() error, 1), make(chan error, 1)
		go r.loop(r.work)
	}
	r.work <- f
	err := <-r.done
	if err == Exited {
		r.work = nil
	}
	return err
}

// Stop ends the goroutine, if there is one.
func (r *Runner) Stop() {
	if r.work != nil {
		close(r.work)
		r.work = nil
	}
}

func (r *Runner) loop(work <-chan func() error) {
	for f := range work {
		report(f, r.done)
	}
}
