package main

import (
	"fmt"
	"sync"
)

// faults collects violations. Its methods may be called from any goroutine.
type faults struct {
	told func(text string) // is told of each that is kept; may be nil

	mu   sync.Mutex // guards what follows
	list []string
	n    int
}

// mostFaults is how many are kept.
const mostFaults = 20

func (f *faults) add(format string, args ...any) {
	f.mu.Lock()
	f.n++
	kept := f.n <= mostFaults
	text := ""
	if kept {
		text = fmt.Sprintf(format, args...)
		f.list = append(f.list, text)
	}
	f.mu.Unlock()
	if kept && f.told != nil {
		f.told(text)
	}
}

// all returns those that are kept, in order.
func (f *faults) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{}, f.list...)
}

func (f *faults) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}
