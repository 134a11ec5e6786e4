//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// server is a running server.
type server struct {
	cmd  *exec.Cmd
	addr string
	exit chan error // gets what Wait returns
}

// start starts a program on the first core and waits until it listens.
func (p program) start(ctx context.Context, env []string, o placing) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &server{cmd: pin(0, o, p.command...), addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), exit: make(chan error, 1)}
	s.cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "PORT="+strconv.Itoa(port))
	s.cmd.Env = append(s.cmd.Env, env...)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { s.exit <- s.cmd.Wait() }() // ended by stop
	for end := time.Now().Add(30 * time.Second); ; {
		conn, err := net.Dial("tcp4", s.addr)
		if err == nil {
			return s, conn.Close()
		}
		select {
		case err := <-s.exit:
			s.exit <- err
			return nil, fmt.Errorf("%s ended: %w", p.name, err)
		case <-ctx.Done():
			s.stop()
			return nil, context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(end) {
			s.stop()
			return nil, fmt.Errorf("%s does not listen: %w", p.name, err)
		}
	}
}

// placing says how a program has its core.
type placing struct {
	pinned   bool
	realtime bool // before all others
}

// pin returns a command on one core. It does not outlive this process. Real time
// is by turns (SCHED_RR), so that a compiler at run time is not kept waiting.
func pin(core int, o placing, command ...string) *exec.Cmd {
	if o.pinned {
		command = append([]string{"taskset", "-c", strconv.Itoa(core)}, command...)
	}
	if o.realtime {
		command = append([]string{"chrt", "-r", "1"}, command...)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// stop ends the server and waits for it.
func (s *server) stop() {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		_ = s.cmd.Process.Kill() // it may have ended meanwhile
	}
	select {
	case <-s.exit:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Kill() // as above
		<-s.exit
	}
}

// freePort returns a port that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
