package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"sync"
	"time"
)

// options are what the flags set.
type options struct {
	clients  int
	duration time.Duration
	seed     uint64
	cuts     time.Duration
	plant    int
	only     string
	root     string
	timing
}

// soak is one run.
type soak struct {
	options
	faults  faults
	server  *child
	at      addresses
	ask     controller
	node    *nodeHost // nil without official clients
	proxies []*proxy
	kinds   []*kind
	all     []*client
	base    stats
	series  []sample
	end     stats
	gov     governor      // of the clients
	ramp    time.Duration // until all clients had connected
	took    time.Duration // from then on
}

// sample is the server at one moment.
type sample struct {
	at time.Duration // since all clients had connected
	stats
}

// samples is how many there are in a run.
const samples = 40

// run makes a run and reports it. The error is about what kept it from being
// made; what it found is in the faults.
func (s *soak) run(ctx context.Context) (err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s.faults.told = func(text string) {
		fmt.Fprintf(os.Stderr, "VIOLATION (seed %d): %s\n", s.seed, text)
		stop()
	}
	if err := s.startServer(); err != nil {
		return err
	}
	defer func() {
		if e := s.server.stop(); err == nil {
			err = e
		}
	}()
	if err := s.startProxies(); err != nil {
		return err
	}
	if s.root != "" {
		if s.node, err = startNode(s.root, &s.faults); err != nil {
			return err
		}
		defer func() {
			if e := s.node.stop(); err == nil {
				err = e
			}
		}()
	}
	if err := s.makeClients(); err != nil {
		return err
	}
	if s.base, err = s.ask.stats(); err != nil {
		return err
	}
	if err := s.load(ctx); err != nil {
		return err
	}
	for _, p := range s.proxies {
		p.close()
	}
	if s.faults.count() > 0 {
		return nil
	}
	return s.rest()
}

// load is the start of the clients, the time of traffic and of cuts, and the calm
// after it.
func (s *soak) load(ctx context.Context) error {
	if err := s.ask.do("POST", "/start", nil); err != nil {
		return err
	}
	settled, settle := context.WithCancel(context.Background())
	defer settle()
	var running sync.WaitGroup
	began := time.Now()
	s.startClients(ctx, settled, &running)
	s.ramp = time.Since(began)
	began = time.Now()
	defer func() { s.took = time.Since(began) }()
	active, stop := context.WithTimeout(ctx, s.duration)
	defer stop()
	err := s.watch(active, began)
	for _, p := range s.proxies {
		p.calm()
	}
	if e := s.ask.do("POST", "/quiet", nil); err == nil {
		err = e
	}
	settle()
	running.Wait()
	return err
}

// opening is how many clients connect for the first time at once: they come as
// fast as the machine takes them.
const opening = 32

// startClients starts the clients and returns when all have connected, but for
// those that cannot in callTimeout, or when ctx has ended. They run until settled
// ends.
func (s *soak) startClients(ctx, settled context.Context, running *sync.WaitGroup) {
	free := make(chan struct{}, opening)
	var starting sync.WaitGroup
	defer starting.Wait()
	for _, c := range s.all {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return
		}
		running.Go(func() { c.run(settled) })
		starting.Go(func() { // ends with ctx, and with callTimeout
			c.started(ctx)
			<-free
		})
	}
}

// watch takes the samples until ctx ends.
func (s *soak) watch(ctx context.Context, began time.Time) error {
	tick := time.NewTicker(max(s.duration/samples, time.Second))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now, err := s.ask.stats()
		if err != nil {
			return err
		}
		s.series = append(s.series, sample{at: time.Since(began), stats: now})
		s.hear(now)
	}
}

// hear takes the violations that the server has seen and that are new.
func (s *soak) hear(now stats) {
	old := len(s.end.Faults)
	s.end = now
	for _, text := range now.Faults[min(old, len(now.Faults)):] {
		s.faults.add("%s", text)
	}
}

// patience is how long the server may take to be as it was at the beginning,
// beside the window of recovery, after which packets are forgotten.
const patience = time.Minute

// rest compares the server without clients with the beginning.
func (s *soak) rest() error {
	if err := s.ask.do("POST", "/drop", nil); err != nil {
		return err
	}
	end, err := s.ask.eventually(patience+3*s.window, s.rested)
	if err != nil {
		return err
	}
	s.hear(end)
	if !s.rested(end) {
		s.faults.add("the server keeps what it had: %v, at the beginning %v, allowed %s", end.text(), s.base.text(), s.margin())
	}
	s.flat()
	return nil
}

// The margins at the end. Pools, maps and the runtime's own records keep some
// memory; it is bounded by what was in use at a time.
const (
	marginGoroutines = 12
	marginLive       = 1 << 20
	marginPerClient  = 1 << 10
)

func (s *soak) margin() string {
	return fmt.Sprintf("%d goroutines and %d KB more", marginGoroutines, (marginLive+len(s.all)*marginPerClient)>>10)
}

func (s *soak) rested(now stats) bool {
	return now.Clients == 0 && now.Rooms == 0 && now.Goroutines <= s.base.Goroutines+marginGoroutines &&
		now.Live <= s.base.Live+uint64(marginLive+len(s.all)*marginPerClient)
}

// The memory is flat if it is no more in the last quarter of the run than in the
// third, but for so much. The first quarter must be longer than what the server
// needs to fill its log of packets; a shorter run says nothing.
const (
	flatPart = 10 // one in so many
	flatMore = 8 << 20
)

// flat compares the quarters.
func (s *soak) flat() {
	if s.duration/4 < s.window+3*s.ping || len(s.series) < samples/2 {
		return
	}
	var rss, live [4]uint64
	for _, x := range s.series {
		if q := int(4 * x.at / s.duration); q < 4 {
			rss[q], live[q] = max(rss[q], x.RSS), max(live[q], x.Live)
		}
	}
	for _, m := range []struct {
		name string
		of   [4]uint64
	}{{"resident memory", rss}, {"live heap", live}} {
		if m.of[3] > m.of[2]+m.of[2]/flatPart+flatMore {
			s.faults.add("the %s grows: at most %d KB in the third quarter, %d KB in the last", m.name, m.of[2]>>10, m.of[3]>>10)
		}
	}
}

func (s *soak) startServer() (err error) {
	if s.server, err = startServer(s.options); err != nil {
		return err
	}
	s.at = s.server.at
	s.ask = controller{s.at.Control}
	return nil
}

func (s *soak) startProxies() error {
	for i, addr := range s.at.Apps {
		p, err := newProxy(addr, s.seed+uint64(i), s.cuts, 4*s.ping, &s.gov)
		if err != nil {
			return err
		}
		s.proxies = append(s.proxies, p)
		for _, mode := range []string{"polling", "websocket", "upgrade"} {
			s.kinds = append(s.kinds, goKind(mode, i, "http://"+p.addr()))
		}
	}
	return nil
}

// nodeKinds adds the official clients, of which there are fewer. Version 2 speaks
// Engine.IO 3.
func (s *soak) nodeKinds() {
	if s.node == nil {
		return
	}
	for _, k := range []struct {
		version int
		mode    string
		app     int
		share   int
	}{
		{4, "upgrade", appJSON, 2}, {4, "websocket", appMsgPack, 1}, {4, "polling", appPlain, 1},
		{2, "upgrade", appPlain, 1}, {2, "polling", appPlain, 1}, {2, "websocket", appPlain, 1},
	} {
		s.kinds = append(s.kinds, s.node.kind(k.version, k.mode, k.app, "http://"+s.proxies[k.app].addr(), k.share))
	}
}

// makeClients makes the clients, none of which connects yet.
func (s *soak) makeClients() error {
	s.nodeKinds()
	only, err := regexp.Compile(s.only)
	if err != nil {
		return err
	}
	var of []*kind // by turns, each as often as its share says
	for round := range 100 {
		for _, k := range s.kinds {
			if round < k.share && only.MatchString(k.name+", server "+appNames[k.app]) {
				of = append(of, k)
			}
		}
	}
	if len(of) == 0 {
		return errors.New("no kind of clients is like -only")
	}
	for i := range s.clients {
		k := of[i%len(of)]
		who := fmt.Sprintf("client %d (%s, server %s)", i+1, k.name, appNames[k.app])
		l := newLedger(who, k.app != appPlain, s.window/3, &s.faults)
		c, err := newClient(k, i+1, s.seed, roomCount(s.clients), l, &s.gov)
		if err != nil {
			return err
		}
		s.all = append(s.all, c)
	}
	return nil
}
