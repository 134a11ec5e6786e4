package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// plan is what is measured.
type plan struct {
	program  string
	libs     []string
	only     []string // empty: everything
	pinned   bool
	profiles string // folder for profiles; "" for none

	rounds, idleRounds int
	slice              time.Duration // of echoing, for a server in a round
	echoConns          int
	fanConns, fans     int // connections, and messages to all of them
	idleConns          int
	deflateConns       int
}

func full() plan {
	return plan{
		rounds: 7, idleRounds: 5, slice: 800 * time.Millisecond, echoConns: 50,
		fanConns: 5000, fans: 15, idleConns: 15000, deflateConns: 3000,
	}
}

func quick() plan {
	return plan{
		rounds: 5, idleRounds: 1, slice: 250 * time.Millisecond, echoConns: 50,
		fanConns: 5000, fans: 3, idleConns: 15000, deflateConns: 1000,
	}
}

func main() {
	p := full()
	short := flag.Bool("quick", false, "less than a minute instead of five")
	program := flag.String("server", "", "the server program")
	libs := flag.String("libs", "hermod,gws,coder", "the libraries")
	only := flag.String("only", "", "some of echo, fan, idle, deflate instead of all")
	rounds := flag.Int("rounds", 0, "rounds instead of the plan's")
	pinned := flag.Bool("pin", true, "bind the servers to the first core with taskset")
	profiles := flag.String("profiles", "", "write profiles of the servers into this folder, from runs that do not count")
	flag.Parse()
	if *short {
		p = quick()
	}
	if *rounds > 0 {
		p.rounds, p.idleRounds = *rounds, *rounds
	}
	p.program, p.pinned, p.profiles = *program, *pinned, *profiles
	p.libs = strings.Split(*libs, ",")
	if *only != "" {
		p.only = strings.Split(*only, ",")
	}
	if err := p.run(); err != nil {
		fmt.Fprintln(os.Stderr, "wsload:", err)
		os.Exit(1)
	}
}

// run measures all that is wanted and prints as it goes.
func (p plan) run() error {
	began := time.Now()
	if err := p.fitFiles(); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		run  func() error
	}{
		{"echo", p.echoes}, {"fan", p.fanOut}, {"idle", p.idle}, {"deflate", p.deflates},
	} {
		if len(p.only) > 0 && !slices.Contains(p.only, part.name) {
			continue
		}
		if err := part.run(); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	fmt.Printf("took %v\n", time.Since(began).Round(time.Second))
	return nil
}

// fitFiles lowers the numbers of connections to what the limit of open files
// allows to one process.
func (p *plan) fitFiles() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if most := int(min(limit.Cur, 1<<20)) - 100; p.idleConns > most || p.fanConns*len(p.libs) > most {
		p.idleConns = min(p.idleConns, most)
		p.fanConns = min(p.fanConns, most/len(p.libs))
		fmt.Printf("the limit of open files allows %d idle connections and %d to fan out to\n", p.idleConns, p.fanConns)
	}
	return nil
}
