package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// options are those of the command line.
type options struct {
	addr   string
	root   string
	server string
}

func main() {
	var o options
	flag.StringVar(&o.addr, "addr", "127.0.0.1:3000", "`host:port` that nginx listens on; port 0 takes a free one")
	flag.StringVar(&o.root, "root", ".", "`folder` of the project")
	flag.StringVar(&o.server, "server", "tests/topology/build/server", "the server `program`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "topology:", err)
		os.Exit(1)
	}
}
