//go:build !race

package socketio_test

import (
	"context"
	"log/slog"
	"runtime"
	"strconv"
	"testing"

	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/socketio"
)

// allocations runs f often and returns the allocations per run of the whole
// program.
func allocations(f func()) float64 {
	for range 200 {
		f()
	}
	return alloctest.PerRun(2000, f)
}

// TestAllocations of a typed echo: the string and its way back into an interface; for
// a struct its strings. The event's memory is used again; that of one that may be kept
// is not.
func TestAllocations(t *testing.T) {
	for _, c := range []struct {
		name, packet, answer string
		most                 float64
	}{
		{"string", `420["text","` + text64 + `"]`, `430["` + text64 + `"]`, 2},
		{"struct", `420["flat",` + flatJSON + `]`, `430[` + flatJSON + `]`, 2},
		{"emit", `42["emit","` + text64 + `"]`, `42["emit","` + text64 + `"]`, 2},
		{"rest", `420["rest","` + text64 + `"]`, `430["` + text64 + `"]`, 3},
		{"several", `420["several","` + text64 + `",1]`, `430[]`, 2},
		{"kept", `420["kept","` + text64 + `"]`, `430["` + text64 + `"]`, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDirect(t, socketio.Config{})
			echo(d.srv)
			n := allocations(exchange(t, d.connect(t), c.packet, c.answer))
			t.Logf("%v allocations", n)
			if n > c.most {
				t.Errorf("%v allocations, at most %v", n, c.most)
			}
		})
	}
}

// TestBroadcastAllocations: at most one for each delivery.
func TestBroadcastAllocations(t *testing.T) {
	const members = 200
	d := newDirect(t, socketio.Config{})
	wait := crowd(t, d, members)
	size := len(unmasked(`42["news","` + text64 + `"]`))
	n := allocations(func() {
		if err := d.srv.Emit("news", text64); err != nil {
			t.Fatal(err)
		}
		wait(size)
	})
	t.Logf("%.3f allocations per delivery", n/members)
	if n > members+20 { // 20: what the broadcast itself costs, whoever hears it
		t.Errorf("%v allocations for %d deliveries", n, members)
	}
}

// TestOperatorAllocations: operators of up to four rooms are free; what remains
// is the argument.
func TestOperatorAllocations(t *testing.T) {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var v any = "x"
	n := allocations(func() {
		if err := srv.To("a", "b").To("c", "d").Except("e").Volatile().Compress(false).Emit("news", v); err != nil {
			t.Fatal(err)
		}
	})
	if n > 1 {
		t.Errorf("%v allocations", n)
	}
}

// TestSizes: what an idle connection has of this package, and what a short event
// takes: the runtime would round a byte more up to 288.
func TestSizes(t *testing.T) {
	t.Logf("Socket %d bytes, client %d bytes", socketio.SizeofSocket, socketio.SizeofClient)
	if socketio.SizeofSocket > 144 || socketio.SizeofClient > 112 {
		t.Errorf("Socket has %d bytes, client %d", socketio.SizeofSocket, socketio.SizeofClient)
	}
	if socketio.SizeofEvent > 224 {
		t.Errorf("a short event takes %d bytes", socketio.SizeofEvent)
	}
}

// TestIdleMemory: heap and stacks of the whole stack per idle connection, over
// connections in memory whose own part is taken off.
func TestIdleMemory(t *testing.T) {
	const n = 2000
	use := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	d := newDirect(t, socketio.Config{})
	before := use()
	for range n {
		conn := d.connect(t)
		defer runtime.KeepAlive(conn)
	}
	t.Logf("%d bytes per connection, the network's part included", (use()-before)/n)
	if per := (use() - before) / n; per > 12<<10 {
		t.Errorf("%d bytes per idle connection", per)
	}
}

// TestPipelinedBroadcasts: eight broadcasts to 1000 members, one behind the
// other, share their writes.
func TestPipelinedBroadcasts(t *testing.T) {
	const members, rounds = 1000, 20
	// One processor: a write to memory costs next to nothing, so that flushers
	// of another one would keep up with the broadcasts, as no kernel lets them.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	d := newDirect(t, socketio.Config{})
	wait := crowd(t, d, members)
	size := 8 * len(unmasked(`42["news","`+text64+`"]`))
	before := d.listener.writes()
	for range rounds {
		for range 8 {
			if err := d.srv.Emit("news", text64); err != nil {
				t.Fatal(err)
			}
		}
		wait(size)
	}
	per := float64(d.listener.writes()-before) / (members * rounds)
	t.Logf("%.2f writes for eight broadcasts to a member", per)
	if per > 1.5 {
		t.Errorf("%.2f writes, at most 1.5", per)
	}
}

// TestRecoveryAllocations: what is kept of a short event is one allocation.
func TestRecoveryAllocations(t *testing.T) {
	off, on := allocations(emission(t, socketio.Config{})), allocations(emission(t, recovering))
	t.Logf("%v allocations for an emit, %v with recovery", off, on)
	if on > off+1.5 { // the log's ring grows now and then
		t.Errorf("%v allocations for an emit, %v with recovery", off, on)
	}
}

// TestSilentLogCostsNothing: lines of a level that is off allocate nothing.
//
// compat: 5.7.13
func TestSilentLogCostsNothing(t *testing.T) {
	measure := func(log *slog.Logger) float64 {
		d := newDirect(t, socketio.Config{Log: log})
		echo(d.srv)
		return allocations(exchange(t, d.connect(t), `420["text","`+text64+`"]`, `430["`+text64+`"]`))
	}
	if none, off := measure(nil), measure(slog.New(slog.DiscardHandler)); off > none {
		t.Errorf("%v allocations with a silent logger, %v without one", off, none)
	}
}

// TestOnAllocations of many handlers of one socket: each once copied all of those
// before it, so that 100 took 1.6 ms and 645 KB of each connection.
func TestOnAllocations(t *testing.T) {
	srv := newDirect(t, socketio.Config{}).srv
	h := func(context.Context, *socketio.Socket, *socketio.Event) error { return nil }
	names := make([]string, 500)
	for i := range names {
		names[i] = "event " + strconv.Itoa(i)
	}
	n := alloctest.PerRun(10, func() {
		s := socketio.BareSocket(srv)
		for _, name := range names {
			s.On(name, h)
		}
	})
	if most := 5.0 * float64(len(names)); n > most {
		t.Errorf("%v allocations of %d handlers, at most %v", n, len(names), most)
	}
}
