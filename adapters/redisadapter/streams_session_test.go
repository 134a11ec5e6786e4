package redisadapter

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/internal/redistest"
)

// TestStreamsSessionOfOfficialNode: what an official node has stored of a socket
// is read, and begins as what ours would store.
func TestStreamsSessionOfOfficialNode(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"streams-0.3.1-csr", "streams-0.2.3-csr"} {
		v := readStreams(t, name)
		i := slices.IndexFunc(v.Scenarios, func(s streamsScenario) bool { return s.Name == "csr-disconnect-persist" })
		var set []string
		for _, c := range v.Scenarios[i].Commands {
			if c.Cmd == "SET" {
				set = c.Args
			}
		}
		client := redistest.Start(t, redistest.Options{}).Client()
		local := &recoveringLocal{shardedLocal: shardedLocal{name: "/"}}
		a, err := NewStreams(client, v.options("A", nil))(local)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = a.Close(context.Background()) })
		rec := a.(*cluster.Recoverer)
		for range 3 {
			addEntry(t, client, entryOf(v, "to-two-rooms"))
		}
		ids, err := client.XRange(t.Context(), "socket.io", "-", "+").Result()
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Set(t.Context(), set[0], set[1], time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		var got adapters.Session
		m := &shardedMember{id: v.v("sid_a2")}
		missed, err := rec.Restore(t.Context(), strings.TrimPrefix(set[0], "sio:session:"), ids[0].ID, func(s adapters.Session) adapters.Member {
			got = s
			return m
		})
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for p := range missed {
			texts = append(texts, shardedText(p.Args))
		}
		if want := []string{`["hello",2,"` + ids[1].ID + `"]`, `["hello",2,"` + ids[2].ID + `"]`}; !slices.Equal(texts, want) {
			t.Errorf("%s: missed %q, want %q", name, texts, want)
		}
		if got.ID != m.id || string(got.Data) != `{"user":"a2"}` || !slices.Contains(a.RoomsOf(m), "room2") {
			t.Errorf("%s: session %+v", name, got)
		}
		rec.Save(m, got)
		a.LeaveAll(m)
		rec.Save(nil, got)
		wantStored(t, storedOf(t, client, set[0]), decode64(t, set[1]))
	}
}

// wantStored demands that what an official node reads of a session is what one
// has stored.
func wantStored(t *testing.T, stored wire.Value, msg []byte) {
	t.Helper()
	recorded, err := wire.Msgpack.Decode(msg)
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{"sid", "pid", "rooms", "data"} {
		want, got := wire.JSON.Append(nil, recorded.Get(member)), wire.JSON.Append(nil, stored.Get(member))
		if string(got) != string(want) {
			t.Errorf("%s is stored as %s, recorded %s", member, got, want)
		}
	}
}

// storedOf waits for the last value of a session.
func storedOf(t *testing.T, client *redis.Client, key string) (v wire.Value) {
	redistest.Until(t, "the session to be stored", func() bool {
		text, err := client.Get(t.Context(), key).Result()
		if err != nil {
			return false
		}
		v, err = wire.Msgpack.Decode(decode64(t, text))
		return err == nil && !v.Get("hermod").Get("live").True() && v.Get("hermod").Kind() == wire.Dict
	})
	return v
}

// entryOf is the entry of a scenario.
func entryOf(v *streamsVectors, scenario string) streamsCommand {
	for i := range v.Scenarios {
		if v.Scenarios[i].Name == scenario {
			c := v.Scenarios[i].sent("A")[0]
			for k := range c.Fields {
				if c.Fields[k].Name == "uid" {
					c.Fields[k].Text = "another"
				}
			}
			return c
		}
	}
	return streamsCommand{}
}
