package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"

	"github.com/hermod-io/hermod/internal/proc"
)

const (
	// pause is the time until a program that ended is started again.
	pause = time.Second
	// grace is how long a program may take to end; nodes have ten seconds
	// themselves (-shutdown-timeout).
	grace = 20 * time.Second
)

// service is a program that is started again when it ends. It belongs to the
// goroutine of keep once that runs.
type service struct {
	name, addr string
	out        *console
	command    func() *exec.Cmd // a new one for each start
	cancel     context.CancelFunc
	done       chan struct{} // closed when keep returns
}

func (t *topology) service(name, addr string, command func() *exec.Cmd) *service {
	return &service{name: name, addr: addr, out: t.out, command: command, done: make(chan struct{})}
}

// start keeps the program running until stop. If it ends before all are ready that
// is told, and it is not started again.
func (s *service) start(failed chan<- error, ready <-chan struct{}) {
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	go s.keep(ctx, failed, ready) // until stop, which waits for it
}

// stop ends the program and waits for it.
func (s *service) stop() {
	if s.cancel == nil {
		return // it was not started
	}
	s.cancel()
	<-s.done
}

func (s *service) keep(ctx context.Context, failed chan<- error, ready <-chan struct{}) {
	defer close(s.done)
	for {
		err := s.once(ctx)
		if ctx.Err() != nil {
			return
		}
		select {
		case <-ready:
		case failed <- err:
			return
		case <-ctx.Done():
			return
		}
		s.out.say("%v; it is started again", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// once runs the program until it ends or ctx does.
func (s *service) once(ctx context.Context) error {
	cmd := s.command()
	lines := &lines{name: s.name, out: s.out}
	cmd.Stdout, cmd.Stderr = lines, lines
	c, err := proc.Launch(cmd)
	if err != nil {
		return err
	}
	s.out.say("%s: pid %d, at %s", s.name, c.PID(), s.addr)
	select {
	case <-c.Done():
		c.End(0) // what it has left behind
		return fmt.Errorf("%s has ended (%v)", s.name, c.State())
	case <-ctx.Done():
	}
	if !c.End(grace) {
		s.out.say("%s had to be killed", s.name)
	}
	return nil
}

// console is where all programs write, line by line.
type console struct {
	mu sync.Mutex // guards what follows
	w  io.Writer
}

// say writes a line of our own.
func (c *console) say(format string, args ...any) { c.line(fmt.Sprintf(format, args...)) }

func (c *console) line(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = fmt.Fprintln(c.w, text) // there is nobody else to tell
}

// lines is what one program writes: each line gets its name. Only one goroutine
// writes, that of exec.Cmd.
type lines struct {
	name string
	out  *console
	rest []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		l.out.line(l.name + " | " + string(line))
		l.rest = rest
	}
}
