package socketio_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
)

var text64 = strings.Repeat("x", 64)

// flat is an object of about 200 bytes.
type flat struct {
	ID     int     `json:"id"`
	Name   string  `json:"name"`
	Room   string  `json:"room"`
	Text   string  `json:"text"`
	Score  float64 `json:"score"`
	Active bool    `json:"active"`
	Tags   string  `json:"tags"`
	At     int64   `json:"at"`
}

const flatJSON = `{"id":12345,"name":"Ada Lovelace","room":"analytical-engines","text":"the engine weaves algebraic patterns just as the loom weaves flowers","score":0.75,"active":true,"tags":"loom,engine,notes","at":1764000000000}`

type several struct {
	event.Args
	Text string
	N    int
}

// echo registers the handlers that are measured.
func echo(srv *socketio.Server) {
	srv.On("text", socketio.Reply(func(ctx context.Context, s *socketio.Socket, v string) (string, error) { return v, nil }))
	srv.On("flat", socketio.Reply(func(ctx context.Context, s *socketio.Socket, v flat) (flat, error) { return v, nil }))
	srv.On("rest", socketio.Reply(func(ctx context.Context, s *socketio.Socket, all event.Rest) (event.Rest, error) { return all, nil }))
	srv.On("several", socketio.Reply(func(ctx context.Context, s *socketio.Socket, v several) (event.None, error) { return event.None{}, nil }))
	srv.On("kept", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
		var v string
		if err := e.Decode(0, &v); err != nil {
			return err
		}
		return e.Ack(v)
	})
	srv.On("emit", socketio.Receive(func(ctx context.Context, s *socketio.Socket, v string) error { return s.Emit("emit", v) }))
}

func benchmarkExchange(b *testing.B, packet, answer string) {
	d := newDirect(b, socketio.Config{})
	echo(d.srv)
	once := exchange(b, d.connect(b), packet, answer)
	b.ReportAllocs()
	for b.Loop() {
		once()
	}
}

// BenchmarkEcho: a typed event and its ack through the whole stack, in memory.
func BenchmarkEcho(b *testing.B) {
	b.Run("string", func(b *testing.B) { benchmarkExchange(b, `420["text","`+text64+`"]`, `430["`+text64+`"]`) })
	b.Run("struct", func(b *testing.B) { benchmarkExchange(b, `420["flat",`+flatJSON+`]`, `430[`+flatJSON+`]`) })
	b.Run("emit", func(b *testing.B) { benchmarkExchange(b, `42["emit","`+text64+`"]`, `42["emit","`+text64+`"]`) })
}

// crowd connects n clients that read for ever; wait waits until each has read
// so many bytes more.
func crowd(tb testing.TB, d *direct, n int) (wait func(bytes int)) {
	tb.Helper()
	read := make([]int, n)
	targets := make([]int, n)
	cond := sync.NewCond(new(sync.Mutex))
	for i := range n {
		conn := d.connect(tb)
		go func() {
			buf := make([]byte, 4096)
			for {
				k, err := conn.Read(buf)
				if err != nil {
					return
				}
				cond.L.Lock()
				if read[i] += k; read[i] >= targets[i] {
					cond.Signal()
				}
				cond.L.Unlock()
			}
		}()
	}
	return func(bytes int) {
		cond.L.Lock()
		defer cond.L.Unlock()
		for i := range targets {
			targets[i] += bytes
		}
		for i := range targets {
			for read[i] < targets[i] {
				cond.Wait()
			}
		}
	}
}

// BenchmarkBroadcast: one event to 1000 clients; eight: that many outstanding.
func BenchmarkBroadcast(b *testing.B) {
	for _, outstanding := range []int{1, 8} {
		b.Run(fmt.Sprintf("1000x%d", outstanding), func(b *testing.B) {
			d := newDirect(b, socketio.Config{})
			wait := crowd(b, d, 1000)
			size := outstanding * len(unmasked(`42["news","`+text64+`"]`))
			b.ReportAllocs()
			for b.Loop() {
				for range outstanding {
					if err := d.srv.Emit("news", text64); err != nil {
						b.Fatal(err)
					}
				}
				wait(size)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*1000*outstanding), "ns/delivery")
		})
	}
}

// BenchmarkConnect: from the request to the namespace, and away again.
func BenchmarkConnect(b *testing.B) {
	d := newDirect(b, socketio.Config{})
	b.ReportAllocs()
	for b.Loop() {
		conn := d.connect(b)
		conn.Close()
	}
}

// BenchmarkOperators: a broadcast to nobody through four modifiers.
func BenchmarkOperators(b *testing.B) {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := srv.To("a", "b").Except("c").Volatile().Emit("news", "x"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOn: a socket that is given its handlers one by one, as programs do that
// register them when it connects, and the first event.
func BenchmarkOn(b *testing.B) {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		b.Fatal(err)
	}
	h := func(context.Context, *socketio.Socket, *socketio.Event) error { return nil }
	for _, n := range []int{10, 50, 100} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s := socketio.BareSocket(srv)
				for i := range n {
					s.On(strconv.Itoa(i), h)
				}
				socketio.Bind(s)
			}
		})
	}
}
