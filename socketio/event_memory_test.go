package socketio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/sioclient"
	"github.com/hermod-io/hermod/socketio/siotest"
)

// said is what event number i carries: texts of all lengths that are dealt with each
// in its own way.
func said(i int) (n int, text string) {
	return i, fmt.Sprintf("%d%s", i, strings.Repeat("x", []int{5, 70, 300, 290, 3000, 6000}[i%6]))
}

// keeper is told of each event by who sees it.
type keeper func(*socketio.Event)

// before returns a handler that keeps its event, and passes it on.
func (k keeper) before(next socketio.Handler) socketio.Handler {
	return func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		k(e)
		return next(ctx, s, e)
	}
}

// alone is a handler that keeps its event.
func (k keeper) alone(_ context.Context, _ *socketio.Socket, e *socketio.Event) error {
	k(e)
	return nil
}

// typed is a handler that nobody could keep an event by.
var typed = socketio.Reply(func(_ context.Context, _ *socketio.Socket, l struct {
	event.Args
	N    int
	Text string
}) (int, error) {
	return l.N, nil
})

// onSocket registers a typed handler, and on each socket what f does.
func onSocket(f func(s *socketio.Socket, k keeper)) func(*socketio.Server, keeper) {
	return func(srv *socketio.Server, k keeper) {
		srv.On("say", typed)
		srv.Use(func(_ context.Context, s *socketio.Socket) error { f(s, k); return nil })
	}
}

// keepers are all ways to see an event.
var keepers = map[string]func(*socketio.Server, keeper){
	"a handler":            func(srv *socketio.Server, k keeper) { srv.On("say", k.before(typed)) },
	"a concurrent handler": func(srv *socketio.Server, k keeper) { srv.On("say", socketio.Concurrent(k.before(typed))) },
	"a catch-all":          func(srv *socketio.Server, k keeper) { srv.On("say", typed); srv.OnAny(k.alone) },
	"a middleware":         func(srv *socketio.Server, k keeper) { srv.On("say", typed); srv.UseEvent(k.before) },
	"a middleware that came first": func(srv *socketio.Server, k keeper) {
		srv.UseEvent(k.before)
		srv.On("say", typed)
	},
	"a socket's handler":                   onSocket(func(s *socketio.Socket, k keeper) { s.On("say", k.before(typed)) }),
	"a socket's catch-all":                 onSocket(func(s *socketio.Socket, k keeper) { s.OnAny(k.alone) }),
	"a socket's middleware":                onSocket(func(s *socketio.Socket, k keeper) { s.UseEvent(k.before) }),
	"a socket's middleware around its own": onSocket(func(s *socketio.Socket, k keeper) { s.On("say", typed); s.UseEvent(k.before) }),
	"the server's middleware around a socket's": func(srv *socketio.Server, k keeper) {
		srv.UseEvent(k.before)
		srv.Use(func(_ context.Context, s *socketio.Socket) error { s.On("say", typed); return nil })
	},
}

// Whoever sees an event may keep it, though the memory of events that only typed
// handlers have seen is used again.
func TestKeptEventsStay(t *testing.T) {
	for name, register := range keepers {
		t.Run(name, func(t *testing.T) {
			siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
				var kept list[*socketio.Event]
				srv := siotest.Serve(t, func(srv *socketio.Server) { register(srv, kept.add) }, siotest.Config{Mode: mode})
				c := srv.Connect(t, "/", sioclient.Config{})
				const events = 60
				for i := range events {
					n, text := said(i)
					var answer int
					if err := c.Call(t.Context(), "say", &answer, n, text); err != nil || answer != i {
						t.Fatalf("event %d is answered %d, %v", i, answer, err)
					}
				}
				if n := len(kept.all()); n != events {
					t.Fatalf("%d events", n)
				}
				for i, e := range kept.all() {
					var n int
					var text string
					want, wantText := said(i)
					if err := e.Scan(&n, &text); err != nil || e.Name() != "say" || n != want || text != wantText || !e.WantsAck() {
						t.Errorf("event %d has become %q with %s, %v", i, e.Name(), e.Encoded().JSON, err)
					}
				}
			}, siotest.WebSocket)
		})
	}
}

// What a typed handler is given is its own.
func TestTypedValuesStay(t *testing.T) {
	t.Run("string", func(t *testing.T) { testStays(t, func(i int) string { _, text := said(i); return text }) })
	t.Run("any", func(t *testing.T) {
		testStays(t, func(i int) any {
			n, text := said(i)
			return map[string]any{"n": float64(n), "list": []any{text, "é\\\"" + text, nil, true}, text: text}
		})
	})
	t.Run("text", func(t *testing.T) { testStays(t, func(i int) any { _, text := said(i); return text }) })
	t.Run("raw", func(t *testing.T) {
		testStays(t, func(i int) json.RawMessage { _, text := said(i); return json.RawMessage(`"` + text + `"`) })
	})
	t.Run("number", func(t *testing.T) {
		testStays(t, func(i int) json.Number { return json.Number(fmt.Sprint(i, "0000000000000000000")) })
	})
	t.Run("binary", func(t *testing.T) { testStays(t, func(i int) []byte { _, text := said(i); return []byte(text) }) })
	type nested struct {
		Text *string           `json:"text"`
		Map  map[string]string `json:"map"`
		List []json.RawMessage `json:"list"`
		Bin  []byte            `json:"bin"`
	}
	t.Run("struct", func(t *testing.T) {
		testStays(t, func(i int) nested {
			_, text := said(i)
			return nested{&text, map[string]string{text: "é" + text}, []json.RawMessage{json.RawMessage(`{"a":"` + text + `"}`)}, []byte(text)}
		})
	})
	type several struct {
		event.Args
		Text string
		event.Rest
	}
	t.Run("several", func(t *testing.T) {
		testStays(t, func(i int) several {
			_, text := said(i)
			return several{Text: text, Rest: event.Rest{text, float64(i)}}
		})
	})
	t.Run("rest", func(t *testing.T) {
		testStays(t, func(i int) event.Rest { _, text := said(i); return event.Rest{float64(i), text, []any{text}} })
	})
}

// testStays sends values to a typed handler that keeps and returns them.
func testStays[T any](t *testing.T, value func(i int) T) {
	siotest.Each(t, func(t *testing.T, mode siotest.Mode) {
		const keep event.Request[T, T] = "keep"
		var kept []T
		srv := siotest.Serve(t, func(srv *socketio.Server) {
			socketio.HandleRequest(srv, keep, func(_ context.Context, _ *socketio.Socket, v T) (T, error) {
				kept = append(kept, v)
				return v, nil
			})
		}, siotest.Config{Mode: mode})
		c := srv.Connect(t, "/", sioclient.Config{})
		const events = 60
		for i := range events {
			if got, err := keep.Call(t.Context(), c, value(i)); err != nil || !reflect.DeepEqual(got, value(i)) {
				t.Fatalf("event %d is answered %v, %v", i, got, err)
			}
		}
		for i, v := range kept {
			if !reflect.DeepEqual(v, value(i)) {
				t.Errorf("value %d has become %v", i, v)
			}
		}
	}, siotest.WebSocket)
}
