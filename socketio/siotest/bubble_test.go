package siotest

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// errorTB is a test that keeps what it reports.
type errorTB struct {
	testing.TB
	args []any
}

func (e *errorTB) Errorf(_ string, args ...any) { e.args = append(e.args, args...) }

func leakyFunction(ch chan int) { <-ch }

// A goroutine that is left is reported with its stack; one that ends by itself, or
// belongs to another test, is not.
func TestLeakIsReported(t *testing.T) {
	outside := make(chan int)
	defer close(outside)
	go leakyFunction(outside)
	synctest.Test(t, func(t *testing.T) {
		fake := &errorTB{TB: t}
		ch := make(chan int)
		go time.Sleep(grace / 2)
		checkGoroutines(fake)
		if len(fake.args) != 0 {
			t.Fatalf("reported without a leak: %v", fake.args)
		}
		go leakyFunction(ch)
		checkGoroutines(fake)
		if len(fake.args) != 2 || fake.args[0] != 1 || !strings.Contains(fake.args[1].(string), "siotest.leakyFunction") {
			t.Errorf("reported: %v", fake.args)
		}
		close(ch)
	})
}

func TestInBubble(t *testing.T) {
	if inBubble() {
		t.Error("inBubble outside")
	}
	synctest.Test(t, func(t *testing.T) {
		if !inBubble() {
			t.Error("not inBubble inside")
		}
	})
}
