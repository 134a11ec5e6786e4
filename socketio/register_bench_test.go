package socketio_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/hermod-io/hermod/socketio"
)

// BenchmarkRegister: what registering costs by how much there is to register.
func BenchmarkRegister(b *testing.B) {
	nothing := func(context.Context, *socketio.Socket, *socketio.Event) error { return nil }
	for _, n := range []int{100, 1000, 10_000} {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprint("event ", i)
		}
		for kind, register := range map[string]func(srv *socketio.Server, name string){
			"On":    func(srv *socketio.Server, name string) { srv.On(name, nothing) },
			"OnAny": func(srv *socketio.Server, name string) { srv.OnAny(nothing) },
			"OnServerSide": func(srv *socketio.Server, name string) {
				srv.OnServerSide(name, func(context.Context, *socketio.Event) error { return nil })
			},
			"Of": func(srv *socketio.Server, name string) { srv.Of("/" + name) },
		} {
			b.Run(fmt.Sprintf("%s/%d", kind, n), func(b *testing.B) {
				for b.Loop() {
					srv, err := socketio.New(socketio.Config{})
					if err != nil {
						b.Fatal(err)
					}
					for _, name := range names {
						register(srv, name)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/each")
			})
		}
	}
}
