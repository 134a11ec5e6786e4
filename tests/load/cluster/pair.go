//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	fillerBytes = 84 // for messages of about 110 bytes
	steps       = 8  // acks in a window
	// patience bounds a run of a pair.
	patience = 5 * time.Minute
)

// child is a node in a process of its own.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startNode(ctx context.Context, o *options, kind string, n nodeOptions) (*child, error) {
	role := "publisher"
	if n.Receiver {
		role = "receiver"
	}
	if o.profile != "" {
		n.Profile = fmt.Sprintf("%s-%s-%s-%s.pprof", o.profile, n.Flavour, kind, role)
	}
	text, err := json.Marshal(n)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{self, "node", string(text)}
	if kind == official {
		args = []string{"node", o.script, string(text)}
	}
	c := &child{cmd: exec.CommandContext(ctx, args[0], args[1:]...)}
	c.cmd.Stderr = os.Stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewScanner(out)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	return c, c.await("ready")
}

func (c *child) stop() {
	_ = c.in.Close() // it ends
	_ = c.cmd.Wait()
}

func (c *child) tell(format string, args ...any) error {
	_, err := fmt.Fprintf(c.in, format+"\n", args...)
	return err
}

// line reads a line.
func (c *child) line() (string, error) {
	if !c.out.Scan() {
		return "", fmt.Errorf("a node has ended: %w", io.ErrUnexpectedEOF)
	}
	return c.out.Text(), nil
}

func (c *child) await(want string) error {
	got, err := c.line()
	if err == nil && got != want {
		err = fmt.Errorf("a node says %q instead of %q", got, want)
	}
	return err
}

// pair is two nodes of a kind.
type pair struct {
	pub, sub *child
	r        *server
}

// runPair measures a pair that is fresh.
func runPair(ctx context.Context, o *options, r *server, flavour, kind string) (res result, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := r.client.FlushAll(ctx).Err(); err != nil {
		return res, err
	}
	n := nodeOptions{Flavour: flavour, Redis: "redis://" + r.addr, Filler: fillerBytes, Receiver: true, Batches: kind == batching}
	p := &pair{r: r}
	if p.sub, err = startNode(ctx, o, kind, n); err != nil {
		return res, err
	}
	defer p.sub.stop()
	n.Receiver = false
	if p.pub, err = startNode(ctx, o, kind, n); err != nil {
		return res, err
	}
	defer p.pub.stop()
	if _, err := p.run(o.count/4, o.window, 0); err != nil { // to warm up
		return res, err
	}
	before, err := p.account(ctx)
	if err != nil {
		return res, err
	}
	began := time.Now()
	if _, err := p.run(o.count, o.window, 0); err != nil {
		return res, err
	}
	res.perSecond = float64(o.count) / time.Since(began).Seconds()
	after, err := p.account(ctx)
	if err != nil {
		return res, err
	}
	each := func(i int) float64 { return float64(after[i]-before[i]) / float64(o.count) }
	res.publisher, res.receiver, res.redis, res.bytes = each(0)/1e3, each(1)/1e3, each(2)/1e3, each(3)
	res.p50, err = p.run(o.rate*o.seconds, o.rate*o.seconds, o.rate)
	return res, err
}

// account is the processor times of publisher, receiver and Redis, and the bytes
// that Redis has sent.
func (p *pair) account(ctx context.Context) (a [4]int64, err error) {
	for i, c := range []*exec.Cmd{p.pub.cmd, p.sub.cmd, p.r.cmd} {
		if a[i], err = processorTime(c.Process.Pid); err != nil {
			return a, err
		}
	}
	a[3], err = p.r.sent(ctx)
	return a, err
}

// run lets the pair exchange messages and returns the median of their times.
func (p *pair) run(count, window, rate int) (p50 float64, err error) {
	step := max(1, window/steps)
	if err := p.sub.tell("expect %d %d", count, step); err != nil {
		return 0, err
	}
	if err := p.sub.await("ready"); err != nil {
		return 0, err
	}
	if err := p.pub.tell("run %d %d %d", count, window, rate); err != nil {
		return 0, err
	}
	for {
		line, err := p.sub.line()
		if err != nil {
			return 0, err
		}
		if n, ok := strings.CutPrefix(line, "got "); ok {
			if err := p.pub.tell("ack %s", n); err != nil {
				return 0, err
			}
			continue
		}
		if t, ok := strings.CutPrefix(line, "p50 "); ok {
			return strconv.ParseFloat(t, 64)
		}
		return 0, fmt.Errorf("the receiver says %q", line)
	}
}
