package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// child is a process of ours. It ends when its standard input ends, so it does
// not outlive this process either.
type child struct {
	at     addresses // of the server
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
}

func startChild(cmd *exec.Cmd) (*child, error) {
	c := &child{cmd: cmd}
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = 10 * time.Second
	var err error
	if c.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.stdout = bufio.NewReaderSize(out, 1<<20)
	return c, cmd.Start()
}

// startServer starts this program as the server.
func startServer(o options) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c, err := startChild(exec.Command(self, "-serve", "-clients", strconv.Itoa(o.clients), "-seed", strconv.FormatUint(o.seed, 10),
		"-ping", o.ping.String(), "-window", o.window.String(), "-plant", strconv.Itoa(o.plant)))
	if err != nil {
		return nil, err
	}
	line, err := c.stdout.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &c.at)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the server printed no addresses: %w", err), c.stop())
	}
	return c, nil
}

// stop ends the process and waits for it.
func (c *child) stop() error {
	return errors.Join(c.stdin.Close(), c.cmd.Wait())
}
