//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
)

// The kinds of nodes.
const (
	official = "official"
	ours     = "hermod"
	batching = "batches" // ours, with the option Batches
)

// options are those of the command line.
type options struct {
	rounds, count, window, rate, seconds int
	flavours, kinds                      []string
	interest                             bool
	messages                             int // of the part with many rooms
	script, profile                      string
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "node" {
		exit(runNode(os.Args[2]))
		return
	}
	o := parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(measure(ctx, o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func parse() *options {
	o := &options{}
	flag.IntVar(&o.rounds, "rounds", 5, "rounds, in which the kinds of nodes take turns")
	flag.IntVar(&o.count, "count", 40_000, "messages of a run")
	flag.IntVar(&o.window, "window", 1024, "messages under way at most")
	flag.IntVar(&o.rate, "rate", 1000, "messages a second while time is measured")
	flag.IntVar(&o.seconds, "seconds", 2, "how long that takes")
	flag.IntVar(&o.messages, "messages", 20_000, "messages to the many rooms")
	flag.StringVar(&o.script, "script", "tests/load/cluster/node.mjs", "the official node")
	flag.StringVar(&o.profile, "profile", "", "write profiles of our nodes as FILE-FLAVOUR-KIND-ROLE.pprof")
	flavours := flag.String("only", "classic,sharded-dynamic,sharded-static,streams,interest", "what to measure")
	kinds := flag.String("kinds", official+","+ours+","+batching, "kinds of nodes")
	smoke := flag.Bool("smoke", false, "a few messages between our nodes, to see that it runs")
	flag.Parse()
	if *smoke {
		*kinds = ours + "," + batching
		o.rounds, o.count, o.seconds, o.messages = 1, 2000, 1, 500
	}
	o.kinds = strings.Split(*kinds, ",")
	for f := range strings.SplitSeq(*flavours, ",") {
		if f == "interest" {
			o.interest = true
		} else {
			o.flavours = append(o.flavours, f)
		}
	}
	return o
}

// measure runs everything and prints the tables.
func measure(ctx context.Context, o *options) error {
	r, err := startRedis(ctx)
	if err != nil {
		return err
	}
	defer r.stop()
	results := map[string][]result{} // by flavour and kind
	for round := range o.rounds {
		for _, flavour := range o.flavours {
			order := slices.Clone(o.kinds)
			if round%2 == 1 {
				slices.Reverse(order)
			}
			for _, kind := range order {
				res, err := runPair(ctx, o, r, flavour, kind)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", flavour, kind, err)
				}
				fmt.Fprintf(os.Stderr, "%d %-16s %-9s %v\n", round+1, flavour, kind, res)
				results[flavour+" "+kind] = append(results[flavour+" "+kind], res)
			}
		}
	}
	report(o, results)
	if o.interest {
		return measureInterest(ctx, o, r)
	}
	return nil
}
