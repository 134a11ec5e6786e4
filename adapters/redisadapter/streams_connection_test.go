package redisadapter

import (
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
