package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	var o options
	serving := flag.Bool("serve", false, "be the server process (used by the program itself)")
	flag.IntVar(&o.clients, "clients", 50, "number of clients")
	flag.DurationVar(&o.duration, "duration", 20*time.Second, "time of traffic and cuts, after all clients have connected")
	flag.Uint64Var(&o.seed, "seed", 0, "seed of the random choices; 0 means another each time")
	flag.DurationVar(&o.cuts, "cuts", 15*time.Second, "mean time until something happens to a connection")
	flag.DurationVar(&o.ping, "ping", 2*time.Second, "ping interval; the timeout is twice that")
	flag.DurationVar(&o.window, "window", 30*time.Second, "how long the server keeps the session of a client that was lost")
	flag.StringVar(&o.only, "only", "", "kinds of clients whose description has this regular expression, such as polling.*json")
	flag.StringVar(&o.root, "root", ".", "folder of the project, for the official clients in a Node process; \"\" means none of those")
	flag.IntVar(&o.plant, "plant", 0, "drop one in so many broadcasts, to see that it is noticed")
	flag.Parse()
	if err := begin(o, *serving); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func begin(o options, serving bool) error {
	if o.clients < 1 || o.duration <= 0 || o.cuts <= 0 || o.ping <= 0 || o.window <= 0 {
		return fmt.Errorf("-clients, -duration, -cuts, -ping and -window must be positive")
	}
	if serving {
		return serve(o.clients, o.seed, o.timing, o.plant)
	}
	if o.seed == 0 {
		o.seed = rand.Uint64()
	}
	fmt.Printf("seed %d\n", o.seed)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &soak{options: o}
	err := s.run(ctx)
	fmt.Print(s)
	if err == nil && s.faults.count() > 0 {
		err = fmt.Errorf("%d violations", s.faults.count())
	}
	return err
}
