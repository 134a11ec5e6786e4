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

// identity is how Redis knows a connection.
type identity struct{ id, addr string }

// greet is the first exchange on a connection. Where Redis can (6.2), it ends
// the connection before: what that still had in its buffers could otherwise be
// carried out later than what this one sends. A server that does not know a
// command, or does not allow it, is used all the same.
func (l *lane) greet(s *session) error {
	text, err := s.client.Do(background, "client", "info").Text()
	if err != nil && (!isRefusal(err) || redis.IsAuthError(err)) {
		return err
	}
	if l.old.id != "" {
		err := s.client.Do(background, "client", "kill", "id", l.old.id, "addr", l.old.addr).Err()
		if err != nil && !isRefusal(err) {
			return err
		}
	}
	l.old = parseIdentity(text)
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
		if next == nil {
			return nil
		}
		return next(ctx, c)
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
