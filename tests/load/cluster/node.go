//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/redisadapter"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/parser"
)

// nodeOptions is what a node of either kind gets as JSON text. Then it prints
// "ready" and does what the lines of its standard input say, until that ends:
//
//	run COUNT WINDOW RATE  broadcasts; RATE a second, or as fast as the window lets it if 0
//	ack N                  N of them were received
//	expect COUNT STEP      begins to receive, prints "ready", "got N" after each
//	                       STEP messages and at the end, then "p50 MICROSECONDS"
type nodeOptions struct {
	Flavour  string `json:"flavour"`
	Batches  bool   `json:"batches"`
	Redis    string `json:"redis"` // URL
	Receiver bool   `json:"receiver"`
	Filler   int    `json:"filler"` // bytes of each message beside number and time
	Profile  string `json:"profile"`
}

// factory returns the adapter of a flavour.
func factory(flavour string, batches bool, client redis.UniversalClient) (adapters.Factory, error) {
	common := cluster.Options{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	switch flavour {
	case "classic":
		return redisadapter.New(client, redisadapter.Options{Options: common, Batches: batches}), nil
	case "pattern":
		return redisadapter.New(client, redisadapter.Options{Options: common, Batches: batches, PatternSubscription: true}), nil
	case "sharded-dynamic":
		return redisadapter.NewSharded(client, redisadapter.ShardedOptions{Options: common, Batches: batches, SubscriptionMode: redisadapter.Dynamic}), nil
	case "sharded-static":
		return redisadapter.NewSharded(client, redisadapter.ShardedOptions{Options: common, Batches: batches, SubscriptionMode: redisadapter.Static}), nil
	case "streams":
		return redisadapter.NewStreams(client, redisadapter.StreamsOptions{Options: common, Batches: batches}), nil
	}
	return nil, fmt.Errorf("no flavour %q", flavour)
}

// tap stands between a namespace and its adapter: what the adapter delivers goes
// to f alone, encoded as for a client.
type tap struct {
	adapters.Local
	f func(text []byte) // must not keep it

	mu   sync.Mutex // guards text
	text []byte
}

// Deliver implements [adapters.Local].
func (t *tap) Deliver(p *parser.Packet, _ adapters.Flags, to iter.Seq[adapters.Member]) (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for range to {
		if n == 0 {
			t.text, _, _ = parser.Default().AppendPacket(t.text[:0], p)
		}
		t.f(t.text)
		n++
	}
	return n
}

// fake is a socket of a tap.
type fake struct{ id string }

func (f *fake) ID() string                { return f.id }
func (f *fake) Info() adapters.SocketInfo { return adapters.SocketInfo{ID: f.id} }
func (*fake) Pending() bool               { return false }
func (*fake) Disconnect(bool)             {}
func (*fake) Supersede()                  {}

// newServer returns a server and the adapter of its namespace "/". Without f its
// sockets are those that connect.
func newServer(flavour string, batches bool, client redis.UniversalClient, f func([]byte)) (*socketio.Server, adapters.Adapter, error) {
	make, err := factory(flavour, batches, client)
	if err != nil {
		return nil, nil, err
	}
	var a adapters.Adapter
	srv, err := socketio.New(socketio.Config{Adapter: func(l adapters.Local) (adapters.Adapter, error) {
		if f != nil {
			l = &tap{Local: l, f: f}
		}
		made, err := make(l)
		if l.Name() == "/" {
			a = made
		}
		return made, err
	}})
	if err == nil {
		srv.Of("/")
	}
	return srv, a, err
}

// publisher broadcasts as it is told.
type publisher struct {
	nsp    *socketio.Namespace
	filler string

	mu    sync.Mutex // guards acked
	more  *sync.Cond
	acked int
}

func (p *publisher) run(count, window, rate int) error {
	p.ack(0)
	began := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for sent := range count {
		p.mu.Lock()
		for sent-p.acked >= window {
			p.more.Wait()
		}
		p.mu.Unlock()
		for rate > 0 && sent >= int(time.Since(began)*time.Duration(rate)/time.Second) {
			<-tick.C
		}
		if err := p.nsp.To("room").Emit("m", sent, time.Now().UnixMicro(), p.filler); err != nil {
			return err
		}
	}
	return nil
}

func (p *publisher) ack(n int) {
	p.mu.Lock()
	p.acked = n
	p.mu.Unlock()
	p.more.Signal()
}

// receiver counts.
type receiver struct {
	mu             sync.Mutex // guards what follows
	expected, step int
	next           int
	times          []int64
}

func (r *receiver) expect(count, step int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expected, r.step, r.next, r.times = count, step, 0, nil
	fmt.Println("ready")
}

// take takes 2["m",NUMBER,TIME,"xxx"].
func (r *receiver) take(text []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	number, rest, _ := bytes.Cut(text[len(`2["m",`):], []byte(","))
	at, _, _ := bytes.Cut(rest, []byte(","))
	if n, err := strconv.Atoi(string(number)); err != nil || n != r.next {
		fmt.Printf("wrong %s instead of %d\n", number, r.next)
		os.Exit(1)
	}
	sent, _ := strconv.ParseInt(string(at), 10, 64)
	r.times = append(r.times, time.Now().UnixMicro()-sent)
	if r.next++; r.next%r.step == 0 || r.next == r.expected {
		fmt.Printf("got %d\n", r.next)
	}
	if r.next == r.expected {
		slices.Sort(r.times)
		fmt.Printf("p50 %d\n", r.times[len(r.times)/2])
	}
}

// runNode is a node of ours.
func runNode(text string) error {
	var o nodeOptions
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	addr, err := redis.ParseURL(o.Redis)
	if err != nil {
		return err
	}
	client := redis.NewClient(addr)
	r := &receiver{}
	var take func([]byte)
	if o.Receiver {
		take = r.take
	}
	srv, a, err := newServer(o.Flavour, o.Batches, client, take)
	if err != nil {
		return err
	}
	if o.Receiver {
		if err := a.Join(context.Background(), &fake{"fake"}, "fake", "room"); err != nil {
			return err
		}
	}
	p := &publisher{nsp: srv.Of("/"), filler: strings.Repeat("x", o.Filler)}
	p.more = sync.NewCond(&p.mu)
	if o.Profile != "" {
		f, err := os.Create(o.Profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Println("ready")
	return obey(p, r)
}

// obey does what the standard input says.
func obey(p *publisher, r *receiver) error {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var what string
		var n [3]int
		_, _ = fmt.Sscan(in.Text(), &what, &n[0], &n[1], &n[2]) // some have fewer numbers
		switch what {
		case "run":
			go func() { exit(p.run(n[0], n[1], n[2])) }() // ends with its count
		case "ack":
			p.ack(n[0])
		case "expect":
			r.expect(n[0], n[1])
		}
	}
	return in.Err()
}
