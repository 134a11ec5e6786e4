package proc

import (
	"bytes"
	"errors"
	"regexp"
	"sync"
	"time"
)

// keep is how many bytes of output are kept.
const keep = 1 << 20

// output collects what a program writes and tells those who wait for a line.
type output struct {
	mu      sync.Mutex // guards what follows
	buf     []byte
	closed  bool
	changed chan struct{} // closed at the next change
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

// Write is for the goroutine of exec.Cmd that copies the output.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf = append(o.buf, p...)
	if over := len(o.buf) - keep; over > keep {
		o.buf = append([]byte(nil), o.buf[over:]...)
	}
	o.tell()
	return len(p), nil
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.tell()
}

// tell wakes those who wait. Needs mu.
func (o *output) tell() {
	close(o.changed)
	o.changed = make(chan struct{})
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.buf[max(0, len(o.buf)-keep):])
}

// find looks for a whole line that matches.
func (o *output) find(re *regexp.Regexp) (match []string, closed bool, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	whole := o.buf
	if !o.closed {
		whole = whole[:bytes.LastIndexByte(whole, '\n')+1]
	}
	for line := range bytes.Lines(whole) {
		if m := re.FindStringSubmatch(string(bytes.TrimRight(line, "\r\n"))); m != nil {
			return m, o.closed, o.changed
		}
	}
	return nil, o.closed, o.changed
}

func (o *output) waitFor(expr string, within time.Duration) ([]string, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		match, closed, changed := o.find(re)
		if match != nil {
			return match, nil
		}
		if closed {
			return nil, errors.New("the program has ended")
		}
		select {
		case <-changed:
		case <-timer.C:
			return nil, errors.New("no such line after " + within.String())
		}
	}
}
