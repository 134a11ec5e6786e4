//go:build node

package cluster

import (
	"context"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

// poison is what others may write to the channels and streams. {nsp} is the
// namespace. None of it may reach a client, move a socket or end a connection.
var poison = []string{
	"", " ", "\x00", "garbage", "{", "}", "[", "null", "true", "0", `""`, "[]", "{}", "\xc1", "\x80", "\x90", "\xff\xfe\xfd",
	// msgpack that ends early, or says that it is longer than it is
	"\x93", "\x93\xa6remote", "\x93\xa6remote\x83\xa4type\x02\xa4data\x91\xa1e\xa3nsp", "\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff", "\xc6\xff\xff\xff\xffx", "\xdb\xff\xff\xff\xff",
	"\x84\xa4type\x03\xa4data\x82\xa6packet\x82\xa4type\x02\xa4data\x91\xa1e",
	// of wrong types
	`{"type":"3"}`, `{"type":null}`, `{"type":[3]}`, `{"type":3.5}`, `{"type":-1}`, `{"type":true,"uid":7,"nsp":{}}`,
	`{"type":3,"data":[],"uid":"remote","nsp":"{nsp}"}`,
	`{"type":3,"data":{"packet":[],"opts":{"rooms":[]}},"uid":"remote","nsp":"{nsp}"}`,
	`{"type":3,"data":{"packet":{"type":2,"data":"e"},"opts":{"rooms":[]}},"uid":"remote","nsp":"{nsp}"}`,
	`{"type":3,"data":{"packet":{"type":2,"data":[{}]},"opts":{"rooms":[]}},"uid":"remote","nsp":"{nsp}"}`,
	`{"type":3,"data":{"packet":{"type":2,"data":["poison"]},"opts":{"rooms":[null]}},"uid":"remote","nsp":"{nsp}"}`,
	`{"type":3,"data":{"packet":{"type":2,"data":["poison"]},"opts":{"rooms":[],"except":{}}},"uid":"remote","nsp":"{nsp}"}`,
	`{"type":6,"data":{"opts":{"rooms":"x"},"close":true},"uid":"remote","nsp":"{nsp}"}`,
	// of which something is missing
	`{"type":3}`, `{"type":4}`, `{"type":5}`, `{"type":6}`, `{"type":7}`, `{"type":8}`, `{"type":9}`, `{"type":10}`, `{"type":11}`, `{"type":12}`,
	`{"type":3,"uid":"remote","nsp":"{nsp}"}`, `{"type":7,"uid":"remote","nsp":"{nsp}"}`, `{"type":8,"uid":"remote","nsp":"{nsp}","data":{}}`,
	`{"uid":"remote"}`, `{"requestId":"x"}`, `{"uid":"remote","requestId":"x","type":5}`, `{"uid":"remote","requestId":"x","type":6}`,
	`{"type":8,"requestId":"x"}`, `{"type":9,"requestId":"x"}`, `{"requestId":"x","sockets":7}`, `{"requestId":"x","rooms":{}}`,
	// of great numbers and types that there are not
	`{"type":99,"uid":"remote","nsp":"{nsp}","data":{}}`, `{"type":1e400}`, `{"type":18446744073709551616}`, `{"type":8,"requestId":"x","clientCount":1e300}`,
	`{"type":11,"data":{"requestId":"x","clientCount":99999999999999999999},"uid":"remote","nsp":"{nsp}"}`, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
	// deep
	strings.Repeat("[", 20000), strings.Repeat("\x91", 20000), strings.Repeat(`{"a":`, 20000), `{"type":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`,
	// for others
	`{"type":3,"data":{"packet":{"type":2,"data":["poison"]},"opts":{"rooms":[],"except":[],"flags":{}}},"uid":"remote","nsp":"/elsewhere"}`,
	`{"type":3,"data":{"packet":{"type":2,"data":["poison"]},"opts":{"rooms":["nobody"],"except":[],"flags":{}}},"uid":"remote","nsp":"{nsp}"}`,
}

// poisoned: after each malformed message, on every channel and in the stream,
// the nodes hear everything; the stream is not read more often than there is
// something in it. What kills official nodes is not sent while they are there.
func poisoned(t *testing.T, f *faulty) {
	client := f.redis.Client()
	f.peer.Stop()
	defer func() { // an official node that comes later is at home with ours
		f.peer = nodes.Start(f.t, f.redis, f.peer.Options)
		f.leave()
		f.enter(t, f.nsp+"-after")
	}()
	before, reads := counters(t, f.b).Poison, xreads(t, client)
	written := 0
	for _, text := range poison {
		text = strings.ReplaceAll(text, "{nsp}", f.nsp)
		written += f.poison(t, client, text)
		nodes.Fence(t, f.a, f.nsp, f.ca, f.cb)
		nodes.Fence(t, f.b, f.nsp, f.ca, f.cb)
		written += 2
	}
	r := f.collect(t, "fetch-partial", nodes.Q{"timeout": enough})
	if len(r.Replies) != 2 || r.Error != "" {
		t.Errorf("fetchSockets: %d sockets, %q", len(r.Replies), r.Error)
	}
	r = f.collect(t, "server-side-emit-ack", nodes.Q{"event": "ask", "timeout": enough})
	if len(r.Replies) != 1 || r.Error != "" {
		t.Errorf("serverSideEmit: %d answers, %q", len(r.Replies), r.Error)
	}
	for _, c := range []*nodes.Client{f.ca, f.cb} {
		if heard := c.Heard(); len(heard) != 0 || !c.Socket.Connected() {
			t.Errorf("%s heard %q, connected is %v", c.Name, heard, c.Socket.Connected())
		}
	}
	if n := counters(t, f.b).Poison - before; n < int64(len(poison))/2 {
		t.Errorf("b counted %d malformed messages, there are %d", n, len(poison))
	}
	// Two nodes, which read whenever there is something, and each 5 s.
	if n := xreads(t, client) - reads; n > int64(3*written+100) {
		t.Errorf("the stream was read %d times for %d entries", n, written)
	}
}

// poison writes one text wherever a node listens and returns the number of
// entries of the stream.
func (f *faulty) poison(t *testing.T, client *redis.Client, text string) (entries int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), nodes.Patience)
	defer cancel()
	do := func(args ...any) {
		t.Helper()
		if err := client.Do(ctx, args...).Err(); err != nil {
			t.Fatalf("%q: %v", args[0], err)
		}
	}
	for list, publish := range map[string]string{"CHANNELS": "PUBLISH", "SHARDCHANNELS": "SPUBLISH"} {
		channels, err := client.Do(ctx, "PUBSUB", list, "*"+f.nsp+"#*").StringSlice()
		if err != nil {
			t.Fatal(err)
		}
		for _, channel := range channels {
			do(publish, channel, text)
		}
	}
	if f.flavour != nodes.Streams {
		return 0
	}
	for _, fields := range [][]any{
		{"data", text}, {"uid", "remote", "nsp", f.nsp, "type", "3", "data", text}, {"uid", "remote", "nsp", f.nsp, "type", "6", "data", text},
		{"uid", "remote", "nsp", f.nsp, "type", text, "data", text}, {"uid", text, "nsp", text, "type", "3", "data", text}, {text, text},
	} {
		do(append([]any{"XADD", "socket.io", "*"}, fields...)...)
		entries++
	}
	return entries
}

// xreads is how often a stream was read.
func xreads(t *testing.T, client *redis.Client) (n int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), nodes.Patience)
	defer cancel()
	text, err := client.Info(ctx, "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "cmdstat_xread:calls="); ok {
			for _, c := range rest {
				if c < '0' || c > '9' {
					break
				}
				n = 10*n + int64(c-'0')
			}
		}
	}
	return n
}
