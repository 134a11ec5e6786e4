package redisadapter

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/redisadapter/internal/link"
)

// readPage is how many entries are read at once for a session that is restored.
const readPage = 500

// Read implements [cluster.Log]. It begins with the entry at the offset, of which
// there may be more to read.
func (b *streamsBus) Read(ctx context.Context, after, upTo cluster.Offset) (page []cluster.LogEntry, next cluster.Offset, err error) {
	client := b.link.shared.client
	entries, err := client.XRangeN(ctx, b.stream, after.Entry().String(), upTo.Entry().String(), readPage).Result()
	if err != nil {
		return nil, after, err
	}
	info, err := streamInfoOf(ctx, client, b.stream) // later, so that what it has now it had before
	if err != nil {
		return nil, after, err
	}
	cut := len(entries) == 0 && upTo.After(after) && upTo.Entry() == after.Entry()
	if cut || !info.reachesTo(after) {
		return nil, after, cluster.ErrTrimmed
	}
	next = upTo
	for _, m := range entries {
		at, ok := cluster.ParseOffset(m.ID)
		if !ok {
			continue
		}
		e := entryFrom(m)
		n, left, err := e.open()
		for range n {
			e.next(&left)
			if len(entries) == readPage && !at.After(upTo) {
				next = at
			}
			if err == nil && string(e.nsp) == b.nsp && at.After(after) && !at.After(upTo) {
				page = b.appendRead(page, at, &e)
			}
			at.Part++
		}
	}
	return page, next, nil
}

// appendRead appends a message, if it is a broadcast.
func (b *streamsBus) appendRead(page []cluster.LogEntry, at cluster.Offset, e *streamEntry) []cluster.LogEntry {
	m, err := decodeEntry(string(e.uid), string(e.kind), string(e.data), nil)
	if err != nil || m == nil || m.Type != cluster.Broadcast {
		return page
	}
	return append(page, cluster.LogEntry{Offset: at, Message: m})
}

// Last implements [cluster.Log].
func (b *streamsBus) Last(ctx context.Context) (cluster.Offset, error) {
	info, err := streamInfoOf(ctx, b.link.shared.client, b.stream)
	if err != nil {
		return cluster.Offset{}, err
	}
	return info.last, nil
}

func (b *streamsBus) sessionKey(pid string) string { return b.factory.opts.SessionKeyPrefix + pid }

// fenceKey is a key that is there while what a node stores under a pid is ignored.
// On a Cluster it lies beside that of the session.
func (b *streamsBus) fenceKey(pid, node string) string {
	key := b.sessionKey(pid)
	if strings.Contains(key, "}") { // of a hash tag in the prefix
		return key + "#" + node
	}
	return "{" + key + "}#" + node
}

// fenceTime is how long a node may be out of reach that comes back and finds that
// its sessions were taken.
const fenceTime = 24 * time.Hour

// storeScript sets or removes a key, unless there is a fence.
const storeScript = `if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
if ARGV[1] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 1`

// StoreSession implements [cluster.Log].
func (b *streamsBus) StoreSession(pid string, value []byte, ttl time.Duration, lost func()) error {
	key := b.sessionKey(pid)
	done := func(reply any, err error) {
		switch {
		case err != nil:
			b.link.Refused(1, err)
		case reply == int64(0) && lost != nil:
			lost()
		}
	}
	return busError(b.link.Append(link.Command{Key: key, Retry: true, Done: done, Args: []any{
		"EVAL", storeScript, "2", key, b.fenceKey(pid, b.uid), base64.StdEncoding.EncodeToString(value), milliseconds(ttl),
	}}))
}

// DropSession implements [cluster.Log].
func (b *streamsBus) DropSession(pid string) error { return b.StoreSession(pid, nil, 0, nil) }

// LoadSession implements [cluster.Log]. It goes the way of StoreSession, so that
// it comes after it.
func (b *streamsBus) LoadSession(ctx context.Context, pid string) ([]byte, error) {
	key := b.sessionKey(pid)
	reply, err := b.ask(ctx, link.Command{Key: key, Args: []any{"GET", key}, Retry: true})
	if err != nil || reply == nil {
		return nil, err
	}
	text, _ := reply.(string)
	value, err := base64.StdEncoding.DecodeString(text)
	if err != nil || base64.StdEncoding.EncodeToString(value) != text {
		return nil, nil // that is no session
	}
	return value, nil
}

// takeScript replaces or removes a key that has a value, removes one fence and, if
// there is a third key, makes another.
const takeScript = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
redis.call('DEL', KEYS[2])
if KEYS[3] then redis.call('SET', KEYS[3], '1', 'PX', ARGV[4]) end
return 1`

// TakeSession implements [cluster.Log].
func (b *streamsBus) TakeSession(ctx context.Context, pid string, value, next []byte, ttl time.Duration, from string) (bool, error) {
	key := b.sessionKey(pid)
	args := []any{"EVAL", takeScript, "2", key, b.fenceKey(pid, b.uid)}
	if from != "" {
		args[2] = "3"
		args = append(args, b.fenceKey(pid, from))
	}
	reply, err := b.ask(ctx, link.Command{Key: key, Args: append(args, base64.StdEncoding.EncodeToString(value),
		base64.StdEncoding.EncodeToString(next), milliseconds(ttl), milliseconds(fenceTime))})
	return reply == int64(1), err
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(max(d.Milliseconds(), 1), 10) }

// ask sends a command and waits for the answer; nil if Redis has none.
func (b *streamsBus) ask(ctx context.Context, c link.Command) (any, error) {
	type answer struct {
		reply any
		err   error
	}
	done := make(chan answer, 1)
	c.Done = func(reply any, err error) { done <- answer{reply, err} }
	if err := b.link.Append(c); err != nil {
		return nil, busError(err)
	}
	select {
	case a := <-done:
		if errors.Is(a.err, redis.Nil) {
			return nil, nil
		}
		return a.reply, busError(a.err)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
