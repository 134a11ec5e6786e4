package adapters_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/hermod-io/hermod/adapters"
)

func TestErrClosedIsNetErrClosed(t *testing.T) {
	if !errors.Is(adapters.ErrClosed, net.ErrClosed) {
		t.Fatal("ErrClosed does not satisfy errors.Is(err, net.ErrClosed)")
	}
	if errors.Is(adapters.ErrClosed, context.Canceled) {
		t.Fatal("ErrClosed satisfies context.Canceled")
	}
}

func TestPartialErrorUnwrapsToItsCause(t *testing.T) {
	var err error = &adapters.PartialError{Missing: 3, Cause: context.DeadlineExceeded}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal("the cause is not found")
	}
	if want := "adapters: 3 answers missing: context deadline exceeded"; err.Error() != want {
		t.Fatalf("text %q, want %q", err, want)
	}
}
