package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// options are what the flags set.
type options struct {
	addr, stats string
	exec        string
	n           int
	workers     int
	roomSize    int
	rest        time.Duration
	ping        time.Duration
	max         float64
	profile     string
}

func main() {
	var o options
	flag.StringVar(&o.addr, "addr", "", "host:port of the server, if it runs already")
	flag.StringVar(&o.stats, "stats", "", "host:port of its figures")
	flag.StringVar(&o.exec, "exec", "", "the server program to start and stop")
	flag.IntVar(&o.n, "n", 8000, "number of connections")
	flag.IntVar(&o.workers, "workers", 32, "connections opened at a time")
	flag.IntVar(&o.roomSize, "room", 100, "members of a room")
	flag.DurationVar(&o.rest, "rest", 5*time.Second, "how long they are idle before the measurement")
	flag.DurationVar(&o.ping, "ping", 25*time.Second, "ping interval of a server started by -exec")
	flag.Float64Var(&o.max, "max", 0, "heap and stack per connection, in bytes, that are allowed; 0 means any")
	flag.StringVar(&o.profile, "heap", "", "file for the profile of the server's heap with all connections idle; FILE.closed is that afterwards")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "idle:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if o.exec != "" {
		s, err := startServer(ctx, o.exec, o.ping)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.stop()) }()
		o.addr, o.stats = s.Addr, s.Stats
	}
	r, err := measure(ctx, o)
	if err != nil {
		return err
	}
	fmt.Println(r)
	if o.max > 0 && r.perConn() > o.max {
		return fmt.Errorf("%.0f bytes of heap and stack per connection, %.0f are allowed", r.perConn(), o.max)
	}
	return nil
}

// figures is the server's memory at one moment, in bytes.
type figures struct {
	HeapInuse, HeapAlloc, StackInuse, Goroutines, RSS uint64
}

// report compares the server without connections, with n of them, and after
// they were closed.
type report struct {
	n                    int
	before, with, closed figures
	took                 time.Duration // to connect them all
}

// perConn is the heap and stack of a connection, in bytes.
func (r report) perConn() float64 {
	return r.per(r.before.HeapInuse+r.before.StackInuse, r.with.HeapInuse+r.with.StackInuse)
}

func (r report) per(before, with uint64) float64 {
	return (float64(with) - float64(before)) / float64(r.n)
}

func (r report) String() string {
	return fmt.Sprintf("connections %d in %.1f s: heap+stack %.0f B each (heap in use %.0f, live %.0f, stack %.0f), RSS %.0f B each, goroutines %.3f each\n"+
		"closed again: heap in use %+d KB, live %+d KB, stack %+d KB, goroutines %+d against the start",
		r.n, r.took.Seconds(), r.perConn(), r.per(r.before.HeapInuse, r.with.HeapInuse), r.per(r.before.HeapAlloc, r.with.HeapAlloc),
		r.per(r.before.StackInuse, r.with.StackInuse), r.per(r.before.RSS, r.with.RSS), r.per(r.before.Goroutines, r.with.Goroutines),
		grown(r.before.HeapInuse, r.closed.HeapInuse)/1024, grown(r.before.HeapAlloc, r.closed.HeapAlloc)/1024, grown(r.before.StackInuse, r.closed.StackInuse)/1024, grown(r.before.Goroutines, r.closed.Goroutines))
}

func grown(before, after uint64) int64 { return int64(after) - int64(before) }

// measure connects, waits, and closes, and reads the figures in between.
func measure(ctx context.Context, o options) (r report, err error) {
	r.n = o.n
	if r.before, err = fetch(ctx, o.stats); err != nil {
		return r, err
	}
	began := time.Now()
	clients, err := connectAll(ctx, o)
	defer closeAll(clients)
	if err != nil {
		return r, err
	}
	r.took = time.Since(began)
	if err := rest(ctx, o.rest); err != nil {
		return r, err
	}
	if r.with, err = fetch(ctx, o.stats); err != nil {
		return r, err
	}
	if o.profile != "" {
		if err := save(ctx, o.profile, "http://"+o.stats+"/debug/pprof/heap"); err != nil {
			return r, err
		}
	}
	for _, c := range clients {
		if err := c.lost(); err != nil {
			return r, fmt.Errorf("a connection ended while it was idle: %w", err)
		}
	}
	closeAll(clients)
	if err := rest(ctx, o.rest); err != nil {
		return r, err
	}
	if r.closed, err = fetch(ctx, o.stats); err == nil && o.profile != "" {
		err = save(ctx, o.profile+".closed", "http://"+o.stats+"/debug/pprof/heap")
	}
	return r, err
}

// connectAll opens the connections, o.workers at a time. Those that it returns
// with an error are to be closed, too.
func connectAll(ctx context.Context, o options) ([]*client, error) {
	clients, errs := make([]*client, o.n), make([]error, o.workers)
	var all sync.WaitGroup
	for w := range o.workers {
		all.Go(func() { // ends with its share, or its first error
			for i := w; i < o.n && errs[w] == nil; i += o.workers {
				clients[i], errs[w] = connect(ctx, o.addr, i, fmt.Sprint("room ", i/o.roomSize))
			}
		})
	}
	all.Wait()
	return clients, errors.Join(errs...)
}

func closeAll(clients []*client) {
	for _, c := range clients {
		if c != nil {
			c.close()
		}
	}
}

func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// fetch reads the figures of the server, which collects garbage before.
func fetch(ctx context.Context, stats string) (f figures, err error) {
	err = get(ctx, "http://"+stats+"/stats", func(body io.Reader) error { return json.NewDecoder(body).Decode(&f) })
	return f, err
}

// save writes what is at url to a file.
func save(ctx context.Context, name, url string) error {
	return get(ctx, url, func(body io.Reader) error {
		data, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		return os.WriteFile(name, data, 0o666)
	})
}

// get hands the body at url to read.
func get(ctx context.Context, url string, read func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Close = true // a connection kept alive would be in the figures
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return read(resp.Body)
}
