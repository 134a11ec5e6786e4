package ctxend

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestErr(t *testing.T) {
	if err := Err(t.Context()); err != nil {
		t.Errorf("before the end: %v", err)
	}
	plain, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Err(plain); err != context.Canceled {
		t.Errorf("without a cause: %v", err)
	}
	wrapping := fmt.Errorf("stopped: %w", context.Canceled)
	same, cancelSame := context.WithCancelCause(t.Context())
	cancelSame(wrapping)
	if err := Err(same); err != wrapping {
		t.Errorf("with a cause that says it: %v", err)
	}
	why := errors.New("why")
	late, stop := context.WithDeadlineCause(t.Context(), time.Unix(0, 0), why)
	defer stop()
	if err := Err(late); !errors.Is(err, why) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || err.Error() != "why" {
		t.Errorf("with a cause of its own: %v", err)
	}
}
