//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hermod-io/hermod/internal/certtest"
	"github.com/hermod-io/hermod/tests/load/sio/report"
)

const (
	base = "socket.io" // what the others are compared with
	// patience bounds a run.
	patience = 8 * time.Minute
)

// bench is a comparison while it runs.
type bench struct {
	o         options
	programs  []program
	plan      []entry
	set       report.Set
	dir       string // for the certificate
	cert, key string
	began     time.Time
	load      string // of the machine, at the beginning
}

// newBench returns a bench to be closed.
func newBench(o options) (b *bench, err error) {
	b = &bench{o: o, programs: available(o), began: time.Now(), load: loadAverage()}
	for _, e := range plan {
		if chosen(o.only, e.Label) {
			b.plan = append(b.plan, e)
			b.set.Lines = append(append(b.set.Lines, e.Line), e.also...)
		}
	}
	b.set.Base = base
	for _, p := range b.programs {
		b.set.Servers = append(b.set.Servers, p.name)
	}
	if len(b.plan) == 0 || len(b.programs) == 0 {
		return nil, errors.New("nothing to be run")
	}
	if b.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return nil, err
	}
	c, err := certtest.Make(b.dir)
	b.cert, b.key = c.Cert, c.Key
	return b, err
}

func (b *bench) close() { _ = os.RemoveAll(b.dir) } // what stays is of no use to anyone

// perform runs all rounds. In each the servers take turns at each line, another
// one first every time.
func (b *bench) perform(ctx context.Context) error {
	if err := os.Remove(b.o.out); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for round := 1; round <= b.o.rounds; round++ {
		for _, e := range b.plan {
			if err := b.line(ctx, e, round); err != nil {
				return fmt.Errorf("%s: %w", e.Label, err)
			}
		}
	}
	return nil
}

// line runs one line against all servers that can do it.
func (b *bench) line(ctx context.Context, e entry, round int) error {
	if e.inMemory != "" {
		return b.inMemory(ctx, e, round)
	}
	for i := range b.programs {
		p := b.programs[(i+round-1)%len(b.programs)]
		if p.tags[0] != "all" && !slices.Contains(p.tags, e.tag) {
			continue
		}
		if err := b.once(ctx, p, e, round); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// once runs one line against one fresh server.
func (b *bench) once(ctx context.Context, p program, e entry, round int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	env := e.env
	args := e.args
	if b.o.quick {
		args += quickArgs + e.quick
	}
	if b.o.smoke {
		args += smokeArgs + e.smoke
	}
	if e.Label == "tls" {
		env = append(slices.Clip(env), "TLS_CERT="+b.cert, "TLS_KEY="+b.key)
		args += " -tls " + b.cert
	}
	place := placing{b.o.pinned, b.o.realtime && (e.Kind == report.Latency || b.o.beyond)}
	onCore := place
	onCore.pinned = place.pinned && !e.free
	s, err := p.start(ctx, env, onCore)
	if err != nil {
		return err
	}
	defer s.stop()
	gen := pin(1, place, append([]string{filepath.Join(b.o.build, "sioload"), "-addr", s.addr, "-pid", strconv.Itoa(s.cmd.Process.Pid),
		"-name", p.name, "-label", e.Label, "-round", strconv.Itoa(round)}, strings.Fields(args)...)...)
	gen.Env = append(os.Environ(), "GOMAXPROCS=1")
	var complaint bytes.Buffer
	gen.Stderr = &complaint
	out, err := output(ctx, gen)
	if err != nil && ctx.Err() != nil {
		return err
	}
	var r report.Result
	if jsonErr := json.Unmarshal(out, &r); jsonErr != nil {
		return errors.Join(err, fmt.Errorf("%q, %q: %w", out, complaint.String(), jsonErr))
	}
	return b.note(r) // what failed is in it
}

// output runs cmd until ctx ends, and returns what it prints.
func output(ctx context.Context, cmd *exec.Cmd) ([]byte, error) {
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }() // ends with the command
	select {
	case err := <-done:
		return out.Bytes(), err
	case <-ctx.Done():
		_ = cmd.Process.Kill() // it may have ended meanwhile
		<-done
		return nil, context.Cause(ctx)
	}
}

// note shows a result and keeps it, in the file as well.
func (b *bench) note(r report.Result) error {
	b.set.Results = append(b.set.Results, r)
	fmt.Fprintf(os.Stderr, "%d %-14s %-12s %9.0f/s %8.2f µs  server %3.0f %%  generator %3.0f %%  %s\n",
		r.Round, r.Label, r.Server, r.PerSec, r.CPU, r.ServerBusy*100, r.GenBusy*100, r.Error)
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(b.o.out, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// read takes results of an earlier run, and of its servers those that are in it.
func (b *bench) read(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	seen := map[string]bool{}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var r report.Result
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		seen[r.Server] = true
		b.set.Results = append(b.set.Results, r)
	}
	b.set.Servers = slices.DeleteFunc(b.set.Servers, func(name string) bool { return !seen[name] })
	if len(b.set.Servers) == 0 {
		return fmt.Errorf("%s: no results", name)
	}
	return in.Err()
}
