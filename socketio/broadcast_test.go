package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
)

// heard says which peers got an event of that name, by their index.
func heard(peers []*peer, name string) (who string) {
	synctest.Wait()
	for i, p := range peers {
		for done := false; !done; {
			select {
			case m := <-p.received:
				if strings.Contains(string(m), `"`+name+`"`) {
					who += fmt.Sprint(i)
				}
			default:
				done = true
			}
		}
	}
	return who
}

// TestOperators: 0 and 1 are in room a, 1 and 2 in room b, 3 in none.
// compat: socket.to
// compat: socket.in
// compat: socket.except
// compat: socket.broadcast
// compat: socket.local
// compat: namespace.to
// compat: namespace.in
// compat: namespace.except
// compat: namespace.local
// compat: server.emit
// compat: server.to
// compat: server.in
// compat: server.except
// compat: server.local
// compat: server.compress
// compat: server.timeout
// compat: server.volatile
// compat: socket.compress
// compat: socket.emit
// compat: socket.volatile
// compat: broadcast.emit
func TestOperators(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var peers []*peer
		var s []*socketio.Socket
		for i, rooms := range [][]string{{"a"}, {"a", "b"}, {"b"}, nil} {
			peers = append(peers, r.join("/"))
			s = append(s, peers[i].socket())
			if err := s[i].Join(r.Context(), rooms...); err != nil {
				r.Fatal(err)
			}
		}
		n := r.srv.Of("/")
		many := []string{"x1", "x2", "x3", "x4", "x5", "b"}
		for i, c := range []struct {
			emit func(name string, args ...any) error
			want string
		}{
			{r.srv.Emit, "0123"},
			{n.Emit, "0123"},
			{r.srv.To("a").Emit, "01"},
			{r.srv.In("a", "b").Emit, "012"},
			{r.srv.To("a").To("b").Emit, "012"},
			{r.srv.To(many...).Emit, "12"},
			{r.srv.To(many[:3]...).To(many[3:]...).Emit, "12"},
			{r.srv.Except("a").Emit, "23"},
			{r.srv.Except(many...).Emit, "03"},
			{r.srv.To("a").Except("b").Emit, "0"},
			{r.srv.To(s[3].ID()).Emit, "3"},
			{r.srv.Except(s[3].ID()).Emit, "012"},
			{r.srv.Local().Emit, "0123"},
			{r.srv.Compress(false).Emit, "0123"},
			{r.srv.Timeout(time.Second).Emit, "0123"},
			{r.srv.To("nowhere").Emit, ""},
			{s[1].Broadcast().Emit, "023"},
			{s[1].To("a").Emit, "0"},
			{s[1].In("a", "b").Emit, "02"},
			{s[1].Except("a").Emit, "23"},
			{s[1].Local().Emit, "023"},
			{s[1].Compress(true).Emit, "1"},
			{s[1].Emit, "1"},
			{r.srv.Volatile().Emit, "0123"},
			{s[1].Volatile().Emit, "1"},
		} {
			synctest.Wait() // the GETs wait again
			name := fmt.Sprint("e", i)
			if err := c.emit(name, i); err != nil {
				r.Errorf("%d: %v", i, err)
			}
			if got := heard(peers, name); got != c.want {
				r.Errorf("%d reached %q, want %q", i, got, c.want)
			}
		}
	})
}

// TestModifiersDoNotLeak: operators are values; what one goroutine makes of one
// does not show in another's.
// compat: broadcast.to
// compat: 5.7.7
func TestModifiersDoNotLeak(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		peers := []*peer{r.join("/"), r.join("/")}
		base := r.srv.To("a", "b", "c", "d", "e")
		var wg sync.WaitGroup
		for i, p := range peers {
			wg.Go(func() {
				for k := range 200 {
					if err := base.To(p.sid).Emit("mine", i, k); err != nil {
						r.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for i, p := range peers {
			for k := range 200 {
				p.want(fmt.Sprintf(`42["mine",%d,%d]`, i, k), "its own events alone")
			}
			p.wantIdle("no other's")
		}
	})
}

func TestBinaryBroadcast(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		a, b := r.join("/"), r.join("/")
		bytes := []byte{1, 2}
		if err := r.srv.Emit("x", map[string]any{"deep": []any{bytes}}, socketio.Owned{3}); err != nil {
			r.Fatal(err)
		}
		bytes[0] = 99 // they were copied
		for _, p := range []*peer{a, b} {
			p.want(`452-["x",{"deep":[{"_placeholder":true,"num":0}]},{"_placeholder":true,"num":1}]`, "the header")
			p.want("b\x01\x02", "the first attachment")
			p.want("b\x03", "the second")
		}
	})
}

// TestAttachmentsStayBehindTheirHeader: emits of several goroutines and
// namespaces on one connection do not mix.
func TestAttachmentsStayBehindTheirHeader(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		other := r.srv.Of("/other")
		p := r.join("/")
		s := p.socket()
		o := other.Socket(p.join("/other"))
		q := r.join("/")
		const n = 40
		var wg sync.WaitGroup
		for g, emit := range []func(string, ...any) error{s.Emit, o.Emit, r.srv.Emit, other.Emit} {
			wg.Go(func() {
				for range n {
					if err := emit("x", []byte{byte(g)}, []byte{byte(g)}); err != nil {
						r.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for range 4 * n {
			p.wantMatch(`^452-(/other,)?\["x",`, "a header")
			first, _ := p.next("an attachment")
			second, _ := p.next("an attachment")
			if first != second || first[0] != 'b' {
				r.Fatalf("attachments %q and %q", first, second)
			}
		}
		_ = q
	})
}

// TestStalledClient: one that does not read is cut when its queue is full; the
// others are not held up, and memory stays bounded.
//
// compat: 5.7.8
func TestStalledClient(t *testing.T) {
	cfg := socketio.Config{Engine: engineio.Config{Queue: engineio.Queue{Bytes: 256 << 10}}}
	runWebSocket(t, cfg, func(r *rig) {
		var reasons list[socketio.Reason]
		r.srv.OnDisconnect(func(s *socketio.Socket, why socketio.Reason) { reasons.add(why) })
		good := r.join("/")
		stalled := r.stalled()
		body := strings.Repeat("x", 50_000)
		for i := range 40 {
			if err := r.srv.Emit("x", i, body); err != nil {
				r.Fatal(err)
			}
			good.wantMatch(fmt.Sprintf(`^42\["x",%d,`, i), "the others hear everything")
		}
		r.eventually("the end of the stalled one", func() bool { return len(reasons.all()) == 1 })
		if reasons.all()[0] != socketio.TransportError || !good.socket().Connected() {
			r.Error(reasons.all())
		}
		stalled.hangUp()
	})
}

// TestStalledClientDropNewest: the other policy; emits say what happens.
func TestStalledClientDropNewest(t *testing.T) {
	cfg := socketio.Config{Engine: engineio.Config{Queue: engineio.Queue{Bytes: 256 << 10, OnFull: engineio.DropNewest}}}
	runWebSocket(t, cfg, func(r *rig) {
		stalled := r.stalled()
		s := r.only()
		body := strings.Repeat("x", 50_000)
		var full int
		for range 40 {
			if err := s.Emit("x", body); errors.Is(err, socketio.ErrQueueFull) {
				full++
			} else if err != nil {
				r.Fatal(err)
			}
		}
		if full < 10 || !s.Connected() {
			r.Errorf("%d emits were refused; connected: %v", full, s.Connected())
		}
		dropped := r.srv.Stats().VolatileDropped
		if err := s.Volatile().Emit("x", body); err != nil || r.srv.Stats().VolatileDropped != dropped+1 {
			r.Errorf("a volatile emit: %v", err)
		}
		stalled.hangUp()
	})
}

// only returns the only socket.
func (r *rig) only() *socketio.Socket {
	r.Helper()
	all := slices.Collect(r.srv.Sockets())
	if len(all) != 1 {
		r.Fatalf("%d sockets", len(all))
	}
	return all[0]
}

// TestVolatilePolling: what is volatile is dropped whole while no GET waits.
// compat: socket.volatile
// compat: namespace.volatile
// compat: server.volatile
func TestVolatilePolling(t *testing.T) {
	bubble(t, engineio.Polling, socketio.Config{}, func(r *rig) {
		p := r.quietPolling()
		p.send("40")
		r.eventually("the join", func() bool { return len(slices.Collect(r.srv.Sockets())) == 1 })
		s := r.only()
		if err := errors.Join(s.Volatile().Emit("v", []byte{1}), r.srv.Volatile().Emit("v"), s.Emit("kept")); err != nil {
			r.Error(err)
		}
		if n := r.srv.Stats().VolatileDropped; n != 2 {
			r.Errorf("%d dropped", n)
		}
		got := p.poll()
		if len(got) != 2 || got[1] != `42["kept"]` {
			r.Errorf("the next GET has %q", got)
		}
	})
}

// compat: namespace.fetchSockets
// compat: namespace.socketsJoin
// compat: namespace.socketsLeave
// compat: namespace.disconnectSockets
// compat: server.socketsJoin
// compat: broadcast.socketsJoin
// compat: broadcast.socketsLeave
// compat: broadcast.fetchSockets
// compat: namespace.adapter
func TestManySockets(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		a, b := r.join("/"), r.join("/")
		ctx := r.Context()
		if err := r.srv.SocketsJoin(ctx, "all"); err != nil {
			r.Error(err)
		}
		if err := r.srv.To(a.sid).SocketsJoin(ctx, "one", "two"); err != nil {
			r.Error(err)
		}
		if err := r.srv.To("one").SocketsLeave(ctx, "two"); err != nil {
			r.Error(err)
		}
		found, err := r.srv.In("one").FetchSockets(ctx)
		if err != nil || len(found) != 1 || found[0].ID() != a.sid {
			r.Fatal(found, err)
		}
		rooms := slices.Sorted(slices.Values(found[0].Rooms()))
		want := []string{a.sid, "all", "one"}
		slices.Sort(want)
		if !slices.Equal(rooms, want) {
			r.Errorf("rooms %v", rooms)
		}
		remote := found[0]
		if err := errors.Join(remote.Emit("hi"), remote.Join(ctx, "three"), remote.Leave(ctx, "one")); err != nil {
			r.Error(err)
		}
		a.want(`42["hi"]`, "an emit through a RemoteSocket")
		one := asking(func() (socketio.Args, error) { return remote.EmitWithAck(ctx, "q") })
		a.want(`420["q"]`, "a question")
		a.send(`430["yes"]`)
		if got, err := one(); err != nil || got != `"yes"` {
			r.Error(got, err)
		}
		all, err := r.srv.Rooms(ctx)
		slices.Sort(all)
		want = []string{a.sid, b.sid, "all", "three"}
		slices.Sort(want)
		if err != nil || !slices.Equal(all, want) {
			r.Errorf("rooms %v, %v", all, err)
		}
		disconnectMany(r, remote, a, b)
	})
}

func disconnectMany(r *rig, remote *socketio.RemoteSocket, a, b *peer) {
	r.Helper()
	ctx := r.Context()
	if err := remote.Disconnect(ctx, false); err != nil {
		r.Error(err)
	}
	a.want("41", "disconnected")
	r.eventually("it left", func() bool { return r.srv.Socket(a.sid) == nil })
	if _, err := remote.EmitWithAck(ctx, "q"); !errors.Is(err, socketio.ErrClosed) {
		r.Errorf("a question to one who left: %v", err)
	}
	if err := r.srv.DisconnectSockets(ctx, true); err != nil {
		r.Error(err)
	}
	b.want("41", "everybody")
	b.wantClosed("with the connection")
}

// TestServerSideEmit: in memory there is no other node.
// compat: namespace.serverSideEmit
// compat: namespace.serverSideEmitWithAck
// compat: server.serverSideEmit
// compat: server.serverSideEmitWithAck
func TestServerSideEmit(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		ctx := r.Context()
		r.srv.OnServerSide("x", func(context.Context, *socketio.Event) error {
			r.Error("an event of our own")
			return nil
		})
		if err := r.srv.ServerSideEmit(ctx, "x", 1); err != nil {
			r.Error(err)
		}
		if replies, err := r.srv.ServerSideEmitWithAck(ctx, "x"); err != nil || len(replies) != 0 {
			r.Errorf("no other node: %v, %v", replies, err)
		}
		if err := r.srv.ServerSideEmit(ctx, "connect"); !errors.Is(err, socketio.ErrReserved) {
			r.Error(err)
		}
	})
}
