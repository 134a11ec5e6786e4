package ctxend

import (
	"context"
	"errors"
)

// Err is the cause of a context that has ended, as text and for errors.Is and
// errors.As; errors.Is of it also holds for ctx.Err(), that is context.Canceled or
// context.DeadlineExceeded. Without a cause of its own it is ctx.Err() itself, and nil
// while ctx has not ended.
func Err(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	cause := context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return &end{cause, err}
}

// end is the end of a context that has a cause of its own.
type end struct{ cause, err error }

// Error is the text of the cause.
func (e *end) Error() string { return e.cause.Error() }

// Unwrap returns both.
func (e *end) Unwrap() []error { return []error{e.cause, e.err} }
