package link

import (
	"errors"
	"testing"

	"github.com/redis/go-redis/v9"

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
	if err := l.Wait(within(t), Plain, "a", "b", "never wanted"); err != nil {
		t.Fatal(err)
	}
	publish(t, l.Writer, "a", "1")
	if err := l.PublishVia("a", "b", []byte("2")); err != nil {
		t.Fatal(err)
	}
	got.await(t, 2)
	l.Drop(Plain, "a", "never wanted")
	redistest.Until(t, "the end of a subscription, without linger", func() bool {
		n, err := l.NumSub(within(t), Plain, "a", "b")
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
		go func() { waited <- l.Wait(within(t), Plain, "b") }() // ends with Drop
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
	redistest.Until(t, "the loss to be seen", func() bool { return errors.Is(l.Wait(within(t), Plain, "a"), ErrDown) })
	proxy.Up()
	redistest.Until(t, "the way back", func() bool { return l.Wait(within(t), Plain, "a") == nil })
	if err := l.Subscriber.Close(within(t)); err != nil {
		t.Fatal(err)
	}
	if err := l.Wait(within(t), Plain, "a"); err != ErrClosed {
		t.Errorf("closed: %v", err)
	}
}
