package redisadapter

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// The reader's client takes over what leads to the server, and nothing that two
// clients cannot share: go-redis logged that a handler exists already.
func TestOwnConnectionSharesNoState(t *testing.T) {
	t.Parallel()
	user := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", Password: "secret", DB: 3})
	t.Cleanup(func() { _ = user.Close() })
	c, err := newBlockingClient(user, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	own, theirs := c.UniversalClient.(*redis.Client).Options(), user.Options()
	if own.Addr != theirs.Addr || own.Password != "secret" || own.DB != 3 || own.ReadTimeout != time.Minute {
		t.Errorf("options %+v", own)
	}
	if own.PushNotificationProcessor == theirs.PushNotificationProcessor {
		t.Error("the handlers of push notifications are shared")
	}
	if own.MaintNotificationsConfig == theirs.MaintNotificationsConfig || own.MaintNotificationsConfig.Mode != maintnotifications.ModeDisabled {
		t.Errorf("maintenance notifications: %+v", own.MaintNotificationsConfig)
	}
}

// Each read of the stream dials once, and nobody else does: go-redis dialled on its
// own, once a second, until after Close, and had the reader wait for it.
func TestOwnConnectionDialsItself(t *testing.T) {
	t.Parallel()
	dials, away := 0, errors.New("away")
	user := redis.NewClient(&redis.Options{Dialer: func(context.Context, string, string) (net.Conn, error) {
		dials++ // by the goroutine of the test alone
		return nil, away
	}})
	t.Cleanup(func() { _ = user.Close() })
	c, err := newBlockingClient(user, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	for i := range 20 {
		if err := c.Ping(t.Context()).Err(); !errors.Is(err, away) || dials != i+1 {
			t.Fatalf("attempt %d: %v after %d dials", i+1, err, dials)
		}
	}
}

// What connects ends with the connections: go-redis does it beside the command.
func TestOwnConnectionIsCutWhileDialing(t *testing.T) {
	t.Parallel()
	begun, ended := make(chan struct{}), make(chan struct{})
	user := redis.NewClient(&redis.Options{DialTimeout: time.Hour, Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) {
		close(begun)
		<-ctx.Done()
		close(ended)
		return nil, ctx.Err()
	}})
	t.Cleanup(func() { _ = user.Close() })
	c, err := newBlockingClient(user, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	pinged := make(chan error, 1)
	go func() { pinged <- c.Ping(context.Background()).Err() }() // ends with the dial
	<-begun
	c.cut()
	<-ended
	if err := <-pinged; err == nil {
		t.Error("a ping was answered")
	}
	_ = c.Close()
}
