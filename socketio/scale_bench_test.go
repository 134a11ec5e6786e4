//go:build unix

package socketio_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/hermod-io/hermod/socketio"
)

// BenchmarkScale: what a delivery costs by the number of members, and an event by
// the number of rooms and of namespaces. It is to cost the same in a large server.
func BenchmarkScale(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000, 50_000} {
		b.Run(fmt.Sprintf("members/%d", n), func(b *testing.B) { scaleMembers(b, n) })
	}
	b.Run("overheard/1000", func(b *testing.B) { // each delivery is heard of by a hook
		scaleMembers(b, 1000, func(*socketio.Socket, *socketio.Event) {})
	})
	for _, n := range []int{10, 100, 10_000} {
		b.Run(fmt.Sprintf("rooms/%d", n), func(b *testing.B) { scaleRooms(b, n) })
	}
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("namespaces/%d", n), func(b *testing.B) { scaleNamespaces(b, n) })
	}
}

// processTime is the processor time of this process: clients included, other
// programs not.
func processTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure runs once b.N times, which does each things, and reports the processor
// time of one.
func measure(b *testing.B, each int, once func()) {
	once()
	b.ReportAllocs()
	begin := processTime(b)
	for b.Loop() {
		once()
	}
	b.ReportMetric(float64(processTime(b)-begin)/float64(b.N*each), "cpu-ns/each")
}

func scaleMembers(b *testing.B, n int, hooks ...func(*socketio.Socket, *socketio.Event)) {
	d := newDirect(b, socketio.Config{})
	for _, f := range hooks {
		d.srv.OnAnyOutgoing(f)
	}
	wait := crowd(b, d, n)
	size := len(unmasked(`42["news","` + text64 + `"]`))
	measure(b, n, func() {
		if err := d.srv.Emit("news", text64); err != nil {
			b.Fatal(err)
		}
		wait(size)
	})
}

// scaleRooms emits to n rooms in turn, each with one of ten members.
func scaleRooms(b *testing.B, n int) {
	const members = 10
	d := newDirect(b, socketio.Config{})
	wait := crowd(b, d, members)
	rooms := make([]string, n)
	var all []*socketio.Socket
	for s := range d.srv.Sockets() {
		all = append(all, s)
	}
	for i := range rooms {
		rooms[i] = fmt.Sprint("room ", i)
		if err := all[i%members].Join(b.Context(), rooms[i]); err != nil {
			b.Fatal(err)
		}
	}
	size := len(unmasked(`42["news","` + text64 + `"]`))
	i := 0
	measure(b, members, func() {
		for range members {
			if err := d.srv.To(rooms[i%n]).Emit("news", text64); err != nil {
				b.Fatal(err)
			}
			i++
		}
		wait(size)
	})
}

// scaleNamespaces has echoes in n namespaces in turn, over at most 1000
// connections.
func scaleNamespaces(b *testing.B, n int) {
	d := newDirect(b, socketio.Config{})
	conns := min(n, 1000)
	var all []func()
	for i := range n {
		name := fmt.Sprint("/n", i)
		d.srv.Of(name).On("text", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) error { return e.Ack(e.Raw(0)) })
	}
	for i := range conns {
		conn := d.connect(b)
		for k := i; k < n; k += conns {
			if _, err := conn.Write(frames(message(fmt.Sprintf("40/n%d,", k)))); err != nil {
				b.Fatal(err)
			}
			readUntil(b, conn, []byte(`"}`))
			all = append(all, exchange(b, conn, fmt.Sprintf(`42/n%d,0["text","%s"]`, k, text64), fmt.Sprintf(`43/n%d,0["%s"]`, k, text64)))
		}
	}
	i := 0
	measure(b, 1, func() {
		all[i%n]()
		i++
	})
}
