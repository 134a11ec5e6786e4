package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// server is a running server program.
type server struct {
	lib  string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	addr *net.TCPAddr
}

// start starts the program for a library, on the first core if pinned, with
// more arguments.
func start(program, lib, deflate string, pinned bool, more ...string) (*server, error) {
	args := append([]string{program, "-lib", lib, "-deflate", deflate}, more...)
	if pinned {
		args = append([]string{"taskset", "-c", "0"}, args...)
	}
	s := &server{lib: lib, cmd: exec.Command(args[0], args[1:]...)}
	s.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	s.cmd.Stderr = os.Stderr
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.in, s.out = in, bufio.NewReader(out)
	line, err := s.out.ReadString('\n')
	if err == nil {
		s.addr, err = net.ResolveTCPAddr("tcp4", strings.TrimSpace(line))
	}
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("%s did not start: %w", lib, err)
	}
	return s, nil
}

// stop ends the program and waits for it.
func (s *server) stop() {
	_ = s.in.Close() // it is gone if this fails
	timer := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
	defer timer.Stop()
	_ = s.cmd.Wait() // how it ends does not matter
}

// command sends a line and returns the answer.
func (s *server) command(line string) (string, error) {
	if _, err := io.WriteString(s.in, line+"\n"); err != nil {
		return "", fmt.Errorf("%s: %w", s.lib, err)
	}
	answer, err := s.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s: %s: %w", s.lib, line, err)
	}
	return answer, nil
}

// memory is what a server says of itself, in bytes, and its resident set.
type memory struct {
	Heap, Live, Stack, Goroutines, RSS float64
}

// collect has the server collect garbage and returns what is left.
func (s *server) collect() (m memory, err error) {
	answer, err := s.command("gc")
	if err == nil {
		err = json.Unmarshal([]byte(answer), &m)
	}
	if err == nil {
		m.RSS, err = s.rss()
	}
	return m, err
}

// rss is the resident set in bytes. See proc(5).
func (s *server) rss() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	var size, pages float64
	_, err = fmt.Sscan(string(text), &size, &pages)
	return pages * float64(os.Getpagesize()), err
}

// cpu is the time that all threads have been on a processor, exact to the
// nanosecond when none is on it now.
func (s *server) cpu() (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // the thread has ended, which those of Go hardly do
		}
		first, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	if sum == 0 {
		return 0, fmt.Errorf("%s: the kernel keeps no schedstat", s.lib)
	}
	return sum, nil
}
