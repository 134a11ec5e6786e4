// Command server is the ready-to-run Hermod: a Socket.IO server with a chat
// page. -h explains its settings.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/hermod-io/hermod/server/internal/app"
	"github.com/hermod-io/hermod/server/internal/config"
	"github.com/hermod-io/hermod/server/internal/logging"
)

func main() {
	switch err := run(); {
	case err == nil, errors.Is(err, flag.ErrHelp):
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until SIGTERM or SIGINT. A second signal ends the program at once.
func run() error {
	cfg, err := config.Parse(os.Args[1:], os.Stderr)
	if err != nil {
		return err
	}
	if cfg.Healthcheck {
		return app.Healthcheck(cfg.Addr)
	}
	log, err := logging.New(os.Stderr, cfg.LogLevel, cfg.LogFormat)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop) // from then on a signal is not caught any more
	defer stop()
	a, err := app.New(ctx, cfg, log)
	if errors.Is(err, context.Canceled) { // while it waited for Redis
		return nil
	}
	if err != nil {
		return err
	}
	return a.Run(ctx, os.Stdout)
}
