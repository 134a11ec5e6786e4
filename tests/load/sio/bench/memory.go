//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hermod-io/hermod/tests/load/sio/report"
)

// metric is what the benchmarks of package socketio report of the processor time.
const metric = "cpu-ns/each"

// smokeLimit is the greatest number of something that a smoke has in memory.
const smokeLimit = 1000

// inMemory runs a benchmark of package socketio, whose clients are in its process.
func (b *bench) inMemory(ctx context.Context, e entry, round int) error {
	if b.o.smoke && e.Scale.X > smokeLimit {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	times := "1s"
	switch {
	case b.o.smoke:
		times = "1x"
	case b.o.quick:
		times = "100ms"
	}
	cmd := pin(0, placing{pinned: b.o.pinned}, filepath.Join(b.o.build, "socketio.test"), "-test.run", "^$", "-test.bench", e.inMemory, "-test.benchtime", times)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	out, err := output(ctx, cmd)
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	ns, err := metricOf(string(out))
	if err != nil {
		return err
	}
	return b.note(report.Result{Server: b.programs[0].name, Label: e.Label, Scenario: "in memory", Round: round, CPU: ns / 1e3})
}

// metricOf returns the metric of the only benchmark in the output of a test.
func metricOf(out string) (float64, error) {
	fields := strings.Fields(out)
	for i, f := range fields {
		if f == metric && i > 0 {
			return strconv.ParseFloat(fields[i-1], 64)
		}
	}
	return 0, errors.New("no " + metric + " in " + strconv.Quote(out))
}
