package redisadapter

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/adaptertest"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/socketio/parser"
)

// classicSuite runs the suite of all adapters; each cluster of nodes has channels
// of its own.
func classicSuite(t *testing.T, client redis.UniversalClient, opts Options) {
	n := 0
	adaptertest.Run(t, adaptertest.Config{
		Nodes: 3,
		New: func(t testing.TB, locals []adapters.Local) []adapters.Adapter {
			n++
			opts := opts
			opts.Key, opts.JoinTimeout = fmt.Sprintf("suite-%d-%v", n, opts.PatternSubscription), 20*time.Second
			var all []adapters.Adapter
			for _, l := range locals {
				all = append(all, classicNode(t, client, opts, l))
			}
			for _, a := range all {
				redistest.Until(t, "the nodes to know one another", func() bool {
					n, err := a.(*cluster.Adapter).ServerCount(t.Context())
					return err == nil && n == len(locals)
				})
			}
			return all
		},
	})
}

// compat: redis-adapter
// compat: option key
// compat: option publishOnSpecificResponseChannel
func TestClassicSuite(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Options{}).Client()
	for name, opts := range map[string]Options{
		"rooms":   {},
		"pattern": {PatternSubscription: true, PublishOnSpecificResponseChannel: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			classicSuite(t, client, opts)
		})
	}
}

func TestClassicSuiteCluster(t *testing.T) {
	t.Parallel()
	classicSuite(t, redistest.StartCluster(t).Client(), Options{})
}

// On a Cluster too what one node sends keeps its order, whatever the rooms, whose
// channels are in the charge of different servers.
func TestClassicOrderOnCluster(t *testing.T) {
	t.Parallel()
	client := redistest.StartCluster(t).Client()
	a := classicNode(t, client, Options{}, &fakeLocal{name: "/"})
	b := classicNode(t, client, Options{}, &fakeLocal{name: "/"})
	rooms := []string{"r0", "r1", "r2", "r3", "r4", "r5", "r6"}
	m := join(t, b, "m", rooms...)
	var want []string
	for i := range 700 {
		text := fmt.Sprintf(`["e",%d]`, i)
		to := adapters.Target{Rooms: []string{rooms[i%7]}}
		if i%5 == 0 {
			to.Rooms = nil
		}
		if err := a.Broadcast(&parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(text)}}, to); err != nil {
			t.Fatal(err)
		}
		want = append(want, text)
	}
	redistest.Until(t, "all", func() bool { return len(m.events()) >= len(want) })
	if got := m.events(); !slices.Equal(got, want) {
		t.Errorf("out of order, %d of %d", len(got), len(want))
	}
}

// classicOutage makes nodes that find each other again after an outage, and are
// told of the gap.
func classicOutage(t *testing.T, client redis.UniversalClient) outage {
	gaps := make(chan struct{}, 8)
	opts := Options{Options: cluster.Options{JoinTimeout: 20 * time.Second, OnGap: func(string, cluster.Gap) { gaps <- struct{}{} }}}
	a := classicNode(t, client, opts, &fakeLocal{name: "/"})
	b := classicNode(t, client, opts, &fakeLocal{name: "/"})
	here, far := join(t, a, "here", "r"), join(t, b, "far", "r")
	emit := func(t *testing.T) string {
		text := fmt.Sprintf(`["e",%d]`, len(here.events()))
		if err := a.Broadcast(&parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(text)}}, adapters.Target{Rooms: []string{"r"}}); err != nil {
			t.Fatal(err)
		}
		return text
	}
	return func(t *testing.T) func(t *testing.T) {
		emit(t)
		if len(here.events()) != 1 {
			t.Error("this node waits for Redis")
		}
		return func(t *testing.T) {
			for range 2 {
				select {
				case <-gaps:
				case <-time.After(time.Minute):
					t.Fatal("no gap is reported")
				}
			}
			last := emit(t)
			redistest.Until(t, "what comes after", func() bool { return slices.Contains(far.events(), last) })
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if found, err := a.Fetch(ctx, adapters.Target{}); err != nil || len(found) != 2 {
				t.Errorf("%d sockets, %v", len(found), err)
			}
		}
	}
}
