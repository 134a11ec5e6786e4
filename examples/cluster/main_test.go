package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/internal/redistest"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

const limit = time.Minute

// person is a client that notes what it hears.
type person struct {
	t    *testing.T
	s    *sioclient.Socket
	said chan Line
	news chan string // who came and left
}

// newcomer connects a client.
func newcomer(t *testing.T, url string, transports ...string) *person {
	t.Helper()
	cfg := sioclient.Config{}
	cfg.Engine.Transports = transports
	s, err := sioclient.New(url, cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := &person{t: t, s: s, said: make(chan Line, 100), news: make(chan string, 100)}
	sioclient.HandleMessage(s, Said, func(_ context.Context, _ *sioclient.Socket, l Line) error { p.said <- l; return nil })
	sioclient.HandleMessage(s, Came, func(_ context.Context, _ *sioclient.Socket, who Person) error { p.news <- "+" + who.Name; return nil })
	sioclient.HandleMessage(s, Left, func(_ context.Context, _ *sioclient.Socket, who Person) error { p.news <- "-" + who.Name; return nil })
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := s.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return p
}

func (p *person) joins(name, room string) []Person {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), limit)
	defer cancel()
	there, err := Join.Call(ctx, p.s, Seat{name, room})
	if err != nil {
		p.t.Fatal(err)
	}
	return there
}

func (p *person) says(text string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), limit)
	defer cancel()
	if _, err := Say.Call(ctx, p.s, text); err != nil {
		p.t.Error(err)
	}
}

// want takes the next value from a channel of a client.
func want[T comparable](t *testing.T, c chan T, what T) {
	t.Helper()
	select {
	case got := <-c:
		if got != what {
			t.Errorf("heard %v, want %v", got, what)
		}
	case <-time.After(limit):
		t.Fatalf("%v was not heard", what)
	}
}

// startCluster starts the nodes one, two and three, and returns their URLs and that of a
// balancer that sends each request to the next of them.
func startCluster(t *testing.T) (urls []string, front string) {
	t.Helper()
	r := redistest.Start(t, redistest.Options{})
	var proxies []*httputil.ReverseProxy
	for _, name := range []string{"one", "two", "three"} {
		n, err := newNode(t.Context(), r.Client(), name, "a secret of sixteen bytes or more")
		if err != nil {
			t.Fatal(err)
		}
		hs := httptest.NewServer(n)
		t.Cleanup(func() {
			if err := n.close(context.Background()); err != nil {
				t.Error(err)
			}
			hs.Close()
		})
		u, err := url.Parse(hs.URL)
		if err != nil {
			t.Fatal(err)
		}
		urls, proxies = append(urls, hs.URL), append(proxies, httputil.NewSingleHostReverseProxy(u))
	}
	var turn atomic.Uint64
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxies[turn.Add(1)%uint64(len(proxies))].ServeHTTP(w, r)
	}))
	t.Cleanup(hs.Close)
	return urls, hs.URL
}

// A room spans the nodes: each of its members hears what any says, once, and is
// found from any node.
func TestRoomOfThreeNodes(t *testing.T) {
	urls, _ := startCluster(t)
	ann, bob, eve := newcomer(t, urls[0]), newcomer(t, urls[1]), newcomer(t, urls[2])
	other := newcomer(t, urls[2])
	if there := ann.joins("ann", "lobby"); !slices.Equal(there, []Person{{"ann", "one"}}) {
		t.Errorf("ann finds %v", there)
	}
	if there := bob.joins("bob", "lobby"); !slices.Equal(there, []Person{{"ann", "one"}, {"bob", "two"}}) {
		t.Errorf("bob finds %v", there)
	}
	want(t, ann.news, "+bob")
	if there := eve.joins("eve", "lobby"); !slices.Equal(there, []Person{{"ann", "one"}, {"bob", "two"}, {"eve", "three"}}) {
		t.Errorf("eve finds %v", there)
	}
	want(t, ann.news, "+eve")
	want(t, bob.news, "+eve")
	if there := other.joins("other", "elsewhere"); !slices.Equal(there, []Person{{"other", "three"}}) {
		t.Errorf("elsewhere are %v", there)
	}

	for _, text := range []string{"hello", "again"} {
		bob.says(text)
		for _, p := range []*person{ann, bob, eve} {
			want(t, p.said, Line{Person{"bob", "two"}, text})
		}
	}
	other.says("nobody here")
	want(t, other.said, Line{Person{"other", "three"}, "nobody here"}) // and nothing before
	if len(ann.said)+len(bob.said)+len(eve.said) > 0 {
		t.Error("more was heard")
	}

	if err := eve.s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	want(t, ann.news, "-eve")
	want(t, bob.news, "-eve")
}

// Behind a balancer without sticky sessions a client that only polls is served by
// all nodes.
func TestAnyNode(t *testing.T) {
	urls, front := startCluster(t)
	ann, bob := newcomer(t, urls[0]), newcomer(t, front, "polling")
	ann.joins("ann", "lobby")
	if there := bob.joins("bob", "lobby"); len(there) != 2 || there[0].Name != "ann" {
		t.Errorf("bob finds %v", there)
	}
	want(t, ann.news, "+bob")
	for _, text := range []string{"one", "two", "three", "four"} {
		ann.says(text)
		want(t, bob.said, Line{Person{"ann", "one"}, text})
	}
}

// refusal is the code of an error that the server has answered with.
func refusal(err error) string {
	var e *sioclient.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Code
}

// A request that makes no sense is answered with why.
func TestRefusals(t *testing.T) {
	urls, _ := startCluster(t)
	ann := newcomer(t, urls[0])
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for code, call := range map[string]func() error{
		"no_seat": func() error { return ann.s.Call(ctx, Say.Name(), nil, "hello") },
		"no_name": func() error { return ann.s.Call(ctx, Join.Name(), nil, Seat{}) },
	} {
		if err := call(); refusal(err) != code {
			t.Errorf("answered %v, want %s", err, code)
		}
	}
	ann.joins("ann", "lobby")
	if err := ann.s.Call(ctx, Join.Name(), nil, Seat{"ann", "lobby"}); refusal(err) != "joined" {
		t.Errorf("answered %v", err)
	}
	if _, err := newNode(ctx, redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}), "x", "short"); err == nil {
		t.Error("a short secret is taken")
	}
}
