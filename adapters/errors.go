package adapters

import (
	"errors"
	"fmt"
)

// ErrNoSession is returned by a [Recoverer] that has no such session.
var ErrNoSession = errors.New("adapters: no such session")

// PartialError reports that some of those asked have not answered in time. The
// answers that came stand.
type PartialError struct {
	// Missing is how many answers did not come.
	Missing int
	// Cause is why the wait ended, such as context.DeadlineExceeded.
	Cause error
}

func (e *PartialError) Error() string {
	return fmt.Sprintf("adapters: %d answers missing: %v", e.Missing, e.Cause)
}

// Unwrap returns the cause.
func (e *PartialError) Unwrap() error { return e.Cause }
