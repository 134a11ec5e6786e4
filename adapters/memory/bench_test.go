package memory

import (
	"fmt"
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// crowd is an adapter with so many members, each in its own room, in "lobby",
// and in one of ten; and so many further rooms of one member each.
func crowd(t testing.TB, members, rooms int) (*Adapter, []*dummy) {
	t.Helper()
	a := newAdapter(t)
	var all []*dummy
	join := func(m *dummy, rooms ...string) {
		if err := a.Join(t.Context(), m, rooms...); err != nil {
			t.Fatal(err)
		}
	}
	for i := range members {
		m := &dummy{fmt.Sprint("m", i)}
		all = append(all, m)
		join(m, m.id, "lobby", fmt.Sprint("tenth", i%10))
	}
	for i := range rooms {
		join(&dummy{fmt.Sprint("r", i)}, fmt.Sprint("r", i))
	}
	return a, all
}

var targets = []struct {
	name   string
	target adapters.Target
}{
	{"OneRoom", adapters.Target{Rooms: []string{"lobby"}}},
	{"RoomButSender", adapters.Target{Rooms: []string{"lobby"}, Except: []string{"m500"}}},
	{"RoomButRoom", adapters.Target{Rooms: []string{"lobby"}, Except: []string{"tenth3"}}},
	{"Union", adapters.Target{Rooms: []string{"lobby", "tenth0", "tenth1"}}},
}

func BenchmarkBroadcast1000(b *testing.B) {
	p := &parser.Packet{Type: parser.Event}
	for _, rooms := range []int{0, 10000} {
		a, _ := crowd(b, 1000, rooms)
		for _, tc := range targets {
			b.Run(fmt.Sprintf("%s/otherRooms=%d", tc.name, rooms), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_ = a.Broadcast(p, tc.target) // it has no error
				}
			})
		}
	}
}

func BenchmarkBroadcastNamespace(b *testing.B) {
	p := &parser.Packet{Type: parser.Event}
	a, _ := crowd(b, 1000, 0)
	b.ReportAllocs()
	for b.Loop() {
		_ = a.Broadcast(p, adapters.Target{}) // it has no error
	}
}

func BenchmarkJoinLeave(b *testing.B) {
	for _, rooms := range []int{0, 10000} {
		a, all := crowd(b, 1000, rooms)
		_ = a.Join(b.Context(), all[0], "there")
		b.Run(fmt.Sprintf("otherRooms=%d", rooms), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = a.Join(b.Context(), all[1], "there")
				a.Leave(all[1], "there")
			}
		})
	}
}

// BenchmarkComeAndGo is what a connection costs: enter, join, leave all.
func BenchmarkComeAndGo(b *testing.B) {
	a, _ := crowd(b, 1000, 10000)
	m := &dummy{"guest"}
	b.ReportAllocs()
	for b.Loop() {
		_ = a.Join(b.Context(), m, m.id)
		_ = a.Join(b.Context(), m, "lobby")
		a.LeaveAll(m)
	}
}

func BenchmarkLeaveAllOfManyRooms(b *testing.B) {
	a, _ := crowd(b, 1000, 10000)
	m := &dummy{"guest"}
	var rooms []string
	for i := range 100 {
		rooms = append(rooms, fmt.Sprint("r", i))
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = a.Join(b.Context(), m, rooms...)
		a.LeaveAll(m)
	}
}
