package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// process is the server process: the apps, and the interface by which it is
// watched.
type process struct {
	apps   []*app
	faults *faults
	hush   context.CancelFunc // ends the traffic
	went   *traffic
}

// serve is the server process. It prints its addresses as a line of JSON and
// ends with its standard input.
func serve(clients int, seed uint64, t timing, plant int) error {
	p := &process{faults: new(faults)}
	var at addresses
	failed := make(chan error, apps+1)
	listen := func(h http.Handler) (addr string, err error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		go func() { failed <- http.Serve(l, h) }() // ends with the process
		return l.Addr().String(), nil
	}
	for kind := range apps {
		a, err := newApp(kind, clients, t, p.faults)
		if err != nil {
			return err
		}
		addr, err := listen(a.srv)
		if err != nil {
			return err
		}
		a.plant = plant
		p.apps = append(p.apps, a)
		at.Apps = append(at.Apps, addr)
	}
	var err error
	if at.Control, err = listen(p.control(seed)); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(at); err != nil {
		return err
	}
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		failed <- errors.Join(err, io.EOF)
	}()
	if err := <-failed; !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// control is the interface by which the process is watched.
func (p *process) control(seed uint64) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /start", func(http.ResponseWriter, *http.Request) {
		ctx, cancel := context.WithCancel(context.Background())
		p.hush, p.went = cancel, &traffic{apps: p.apps, seed: seed}
		p.went.start(ctx)
	})
	mux.HandleFunc("POST /quiet", func(http.ResponseWriter, *http.Request) {
		p.hush()
		p.went.wg.Wait()
	})
	mux.HandleFunc("POST /drop", func(http.ResponseWriter, *http.Request) {
		for _, a := range p.apps {
			a.drop()
		}
	})
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(p.stats(r.Context())) // else the client has gone
	})
	return mux
}

// stats collects garbage, twice for what pools hold, and tells what is left.
func (p *process) stats(ctx context.Context) (s stats) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.Live, s.InUse, s.Stack, s.RSS = m.HeapAlloc, m.HeapInuse, m.StackInuse, resident()
	s.Goroutines = runtime.NumGoroutine()
	for _, a := range p.apps {
		s.Clients += a.srv.Engine().Clients()
		if rooms, err := a.srv.Of("/").Rooms(ctx); err == nil {
			s.Rooms += len(rooms)
		}
		s.In += a.in.Load()
		s.Out += a.out.Load()
	}
	s.Faults = p.faults.all()
	return s
}

// resident is the resident set of this process, 0 where it cannot be had.
func resident() uint64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}

// controller asks the server process.
type controller struct{ addr string }

// do asks, and decodes the answer into out unless that is nil. "quiet" waits for
// acks.
func (c controller) do(method, what string, out any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.addr+what, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return errors.New("soak: " + what + ": " + resp.Status)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

func (c controller) stats() (s stats, err error) {
	err = c.do("GET", "/stats", &s)
	return s, err
}

// eventually asks until ok, or until the time is over.
func (c controller) eventually(within time.Duration, ok func(stats) bool) (s stats, err error) {
	late := time.After(within)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		if s, err = c.stats(); err != nil || ok(s) {
			return s, err
		}
		select {
		case <-tick.C:
		case <-late:
			return s, nil
		}
	}
}
