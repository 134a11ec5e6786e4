package link

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// errNotMaster is the failure of a connection to a server that Sentinel has
// made a replica in the meantime: it would take a PUBLISH, but nobody who
// listens at the master would hear it.
var errNotMaster = errors.New("link: the server is not the master")

// identity is how Redis knows a connection; the zero identity is none.
type identity struct{ id, addr string }

// greet is the first exchange on a connection to a server. Where Redis can (6.2), it
// ends the connection there that greeted before: Redis may not know yet that it is
// broken. What a writer still had in its buffers could otherwise be carried out
// later than what this one sends, and a subscriber would count twice among those who
// hear a channel. A server that does not know a command, or does not allow it, is
// used all the same.
func (t *topology) greet(ctx context.Context, addr string, do func(context.Context, ...any) *redis.Cmd) error {
	text, err := do(ctx, "client", "info").Text()
	if err != nil && (!isRefusal(err) || redis.IsAuthError(err)) {
		return err
	}
	t.mu.Lock()
	old := t.greeted[addr]
	t.mu.Unlock()
	if old.id != "" {
		err := do(ctx, "client", "kill", "id", old.id, "addr", old.addr).Err()
		if err != nil && !isRefusal(err) {
			return err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.greeted[addr] = parseIdentity(text)
	return nil
}

// onMaster lets a connection only come about to a server that says that it is
// the master, or does not tell.
func onMaster(next func(context.Context, *redis.Conn) error) func(context.Context, *redis.Conn) error {
	return func(ctx context.Context, c *redis.Conn) error {
		role, err := c.Do(ctx, "role").Slice()
		if err != nil && (!isRefusal(err) || redis.IsAuthError(err)) {
			return err
		}
		if len(role) > 0 && role[0] != "master" {
			return errNotMaster
		}
		return next(ctx, c)
	}
}

// inTurn calls those of two functions that are not nil.
func inTurn(first, second func(context.Context, *redis.Conn) error) func(context.Context, *redis.Conn) error {
	return func(ctx context.Context, c *redis.Conn) error {
		for _, f := range [...]func(context.Context, *redis.Conn) error{first, second} {
			if f == nil {
				continue
			}
			if err := f(ctx, c); err != nil {
				return err
			}
		}
		return nil
	}
}

// parseIdentity reads the answer to CLIENT INFO.
func parseIdentity(text string) (i identity) {
	for field := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "id":
			i.id = value
		case "addr":
			i.addr = value
		}
	}
	if i.addr == "" {
		return identity{}
	}
	return i
}
