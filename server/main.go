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
	"runtime"
	"runtime/debug"
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

// run serves until SIGTERM, SIGINT or SIGHUP.
func run() error {
	cfg, err := config.Parse(os.Args[1:], os.Stderr)
	if err != nil {
		return err
	}
	if cfg.Version {
		fmt.Println("hermod", version(), runtime.Version())
		return nil
	}
	if cfg.Healthcheck {
		return app.Healthcheck(cfg.Addr, cfg.TLSCert != "")
	}
	log, err := logging.New(os.Stderr, cfg.LogLevel, cfg.LogFormat)
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGPIPE) // who reads the log may go, the clients stay
	ctx, stop := untilSignal()
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

// version is that of the module: a release, or what the repository was at.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// untilSignal returns a context that SIGTERM, SIGINT and SIGHUP end, except for what
// was ignored from the beginning: SIGHUP under nohup, SIGINT in the background of a
// script. One of the first two that comes later ends the program at once. SIGHUP does
// not: when a terminal is closed it may come from there and from the shell.
func untilSignal() (ctx context.Context, stop context.CancelFunc) {
	signals := []os.Signal{syscall.SIGTERM}
	if !signal.Ignored(os.Interrupt) {
		signals = append(signals, os.Interrupt)
	}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // caught for good
	}
	ctx, stop = signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, stop) // from then on the others are not caught any more
	return ctx, stop
}
