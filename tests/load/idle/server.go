package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// server is a server program that was started here. It ends when its standard
// input ends, so it does not outlive this process either.
type server struct {
	Addr, Stats string // as it printed them

	cmd   *exec.Cmd
	stdin io.Closer
}

func startServer(ctx context.Context, program string, ping time.Duration) (*server, error) {
	s := &server{cmd: exec.CommandContext(ctx, program, "-stdin", "-ping", ping.String())}
	s.cmd.Stderr = os.Stderr
	s.cmd.WaitDelay = 10 * time.Second
	stdin, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	s.stdin = stdin
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, s)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s printed no addresses: %w", program, err), s.stop())
	}
	return s, nil
}

// stop ends the server and waits for it.
func (s *server) stop() error {
	return errors.Join(s.stdin.Close(), s.cmd.Wait())
}
