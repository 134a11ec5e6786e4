//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// options are what the flags set.
type options struct {
	root, build, out, from    string
	only, servers             string
	rounds                    int
	quick, smoke, pinned, doc bool
	realtime, beyond          bool
}

func main() {
	// The servers end with the thread that started them.
	runtime.LockOSThread()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, flags()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func flags() (o options) {
	flag.StringVar(&o.root, "root", ".", "folder of the repository")
	flag.StringVar(&o.build, "build", "tests/load/build", "folder of the programs")
	flag.StringVar(&o.out, "out", "", "file for the results; default: bench.jsonl among the programs")
	flag.StringVar(&o.from, "from", "", "make the tables of the results in this file, and run nothing")
	flag.StringVar(&o.only, "only", "", "some lines, by label or the beginning of one, instead of all")
	flag.StringVar(&o.servers, "servers", "", "some servers instead of all; the official one is always among them")
	flag.IntVar(&o.rounds, "rounds", 0, "rounds; default: 5, 1 with -quick")
	flag.BoolVar(&o.quick, "quick", false, "one round of short runs")
	flag.BoolVar(&o.smoke, "smoke", false, "every line once with a few messages, ours alone")
	flag.BoolVar(&o.pinned, "pin", true, "bind servers to the first core, the generator to the second")
	flag.BoolVar(&o.realtime, "realtime", false, "latencies, and -beyond, with both cores taken before all other programs (needs root): for a machine that others use")
	flag.BoolVar(&o.beyond, "beyond", false, "instead: ours alone, with two processors and with many connections")
	flag.BoolVar(&o.doc, "doc", false, "write docs/benchmarks.md and docs/bench also after a part of the plan")
	flag.Parse()
	if o.rounds == 0 {
		o.rounds = 5
		if o.quick || o.smoke {
			o.rounds = 1
		}
	}
	if o.out == "" {
		o.out = filepath.Join(o.build, "bench.jsonl")
	}
	return o
}

func run(ctx context.Context, o options) error {
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer b.close()
	if o.beyond {
		if err := b.beyond(ctx, os.Stdout); err != nil {
			return err
		}
		return b.failed()
	}
	if o.from != "" {
		if err := b.read(o.from); err != nil {
			return err
		}
	} else if err := b.perform(ctx); err != nil {
		return err
	}
	if o.smoke {
		return b.failed()
	}
	if err := b.publish(os.Stdout); err != nil {
		return err
	}
	return b.failed()
}

// failed tells which runs of ours or of the official server failed: those of
// others are in the table.
func (b *bench) failed() (err error) {
	for _, r := range b.set.Results {
		if r.Error != "" && (r.Server == b.programs[0].name || r.Server == base) {
			err = errors.Join(err, fmt.Errorf("%s, %s, round %d: %s", r.Server, r.Label, r.Round, r.Error))
		}
	}
	return err
}

// chosen reports whether a name, or its beginning, is in a list like "a,b"; all
// are in an empty one.
func chosen(list, name string) bool {
	return list == "" || slices.ContainsFunc(strings.Split(list, ","), func(p string) bool { return strings.HasPrefix(name, p) })
}

// available drops the programs that are not wanted or not there.
func available(o options) (list []program) {
	for _, p := range programs(o.build, o.root) {
		if o.smoke && len(list) == 1 || p.name != base && !chosen(o.servers, p.name) {
			continue
		}
		if _, err := os.Stat(p.needs); p.needs != "" && err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s is left out: no %s\n", p.name, p.needs)
			continue
		}
		if _, err := exec.LookPath(p.command[0]); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s is left out: %v\n", p.name, err)
			continue
		}
		list = append(list, p)
	}
	return list
}
