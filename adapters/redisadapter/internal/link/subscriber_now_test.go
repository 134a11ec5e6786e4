package link

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/internal/redistest"
)

// Want, Wait and Drop do in three steps what Subscribe and Unsubscribe do in two.
func TestWantWaitDrop(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	l := newLink(t, server.Client(), Config{})
	var got inbox
	if err := l.Want(Plain, got.handle, "a", "b"); err != nil {
		t.Fatal(err)
	}
	if err := l.Want(Sharded, got.handle, "a"); err != ErrKind {
		t.Errorf("another kind: %v", err)
	}
	if err := l.Wait(await.Context(t), Plain, "a", "b", "never wanted"); err != nil {
		t.Fatal(err)
	}
	publish(t, l.Writer, "a", "1")
	if err := l.PublishVia("a", "b", []byte("2")); err != nil {
		t.Fatal(err)
	}
	got.await(t, 2)
	l.Drop(Plain, "a", "never wanted")
	redistest.Until(t, "the end of a subscription, without linger", func() bool {
		n, err := l.NumSub(await.Context(t), Plain, "a", "b")
		return err == nil && n[0] == 0 && n[1] == 1
	})
	if s := l.Stats(); s.Subscriptions != 1 {
		t.Errorf("%d subscriptions are left, want 1", s.Subscriptions)
	}
}

// Wait does not wait for a channel that is given up meanwhile, nor without a
// connection.
func TestWaitEnds(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	proxy := redistest.NewProxy(t, server.Addr())
	client := redis.NewClient(&redis.Options{Addr: proxy.Addr()})
	t.Cleanup(func() { _ = client.Close() })
	l := newLink(t, client, Config{})
	subscribe(t, l, Plain, func(Message) {}, "a")
	proxy.Silence()
	for _, leave := range []func(Kind, ...string){l.Unsubscribe, l.Drop} {
		if err := l.Want(Plain, func(Message) {}, "b"); err != nil {
			t.Fatal(err)
		}
		waited := make(chan error, 1)
		go func() { waited <- l.Wait(await.Context(t), Plain, "b") }() // ends with Drop
		redistest.Until(t, "Wait to wait", func() bool {
			l.Subscriber.mu.Lock()
			defer l.Subscriber.mu.Unlock()
			return len(l.subs[name{false, "b"}].tickets) > 0
		})
		leave(Plain, "b")
		if err := <-waited; err != nil {
			t.Errorf("given up: %v", err)
		}
	}
	proxy.Down()
	proxy.Speak()
	redistest.Until(t, "the loss to be seen", func() bool { return errors.Is(l.Wait(await.Context(t), Plain, "a"), ErrDown) })
	proxy.Up()
	redistest.Until(t, "the way back", func() bool { return l.Wait(await.Context(t), Plain, "a") == nil })
	if err := l.Subscriber.Close(await.Context(t)); err != nil {
		t.Fatal(err)
	}
	if err := l.Wait(await.Context(t), Plain, "a"); err != ErrClosed {
		t.Errorf("closed: %v", err)
	}
}

// OnGap is not called by who gives channels up, who may hold a lock that OnGap
// wants.
func TestGapOfDrop(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	for name, linger := range map[string]time.Duration{"Drop": 0, "Unsubscribe": -1} {
		var lock sync.Mutex
		told := make(chan struct{}, 1)
		s := newSubscriber(t, r.Client(), Config{Linger: linger, OnGap: func(_, _ time.Time) {
			lock.Lock()
			defer lock.Unlock()
			told <- struct{}{}
		}})
		subscribe(t, s, Plain, func(Message) {}, "good", "bad")
		r.Do("acl", "setuser", "default", "resetchannels", "&good")
		r.Do("client", "kill", "type", "pubsub")
		redistest.Until(t, "the good one is back", func() bool { return s.Stats().Reconnects > 0 && s.Stats().Confirmed == 1 })
		lock.Lock()
		if name == "Drop" {
			s.Drop(Plain, "bad")
		} else {
			s.Unsubscribe(Plain, "bad")
		}
		lock.Unlock()
		<-told
		r.Do("acl", "setuser", "default", "allchannels")
	}
}

// Wait does not wait for a Cluster of which no server can be reached.
func TestWaitWithoutCluster(t *testing.T) {
	t.Parallel()
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}})
	defer func() { _ = client.Close() }()
	s := newSubscriber(t, client, Config{})
	if err := s.Want(Sharded, func(Message) {}, "c"); err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, "it is known that there is no connection", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		return errors.Is(s.Wait(ctx, Sharded, "c"), ErrDown)
	})
}
