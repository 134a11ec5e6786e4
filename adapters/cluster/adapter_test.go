package cluster_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/socketio/parser"
)

// local is a namespace whose members take everything and answer nothing.
type local struct {
	mu     sync.Mutex
	got    []string
	asked  int
	server []func(parser.Args)
}

func (l *local) Name() string                    { return "/test" }
func (l *local) Recovery() adapters.Recovery     { return adapters.Recovery{} }
func (l *local) SessionExpired(adapters.Session) {}
func (l *local) Deliver(p *parser.Packet, _ adapters.Flags, to iter.Seq[adapters.Member]) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range to {
		n++
		l.got = append(l.got, p.Namespace+" "+string(p.JSON))
	}
	return n
}

func (l *local) DeliverAck(_ *parser.Packet, _ adapters.Flags, to iter.Seq[adapters.Member], _ func(adapters.Member, parser.Args)) (n int, stop func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range to {
		n++
		l.asked++
	}
	return n, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.asked -= n
	}
}

func (l *local) ServerSideEvent(_ parser.Args, reply func(parser.Args)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.server = append(l.server, reply)
}

func (l *local) askedNow() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

func (l *local) heard() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.server)
}

// socket is a Member with credentials.
type socket struct {
	id         string
	superseded atomic.Int64
}

func (s *socket) ID() string { return s.id }
func (s *socket) Info() adapters.SocketInfo {
	return adapters.SocketInfo{ID: s.id, Handshake: adapters.Handshake{
		Headers: map[string]string{"cookie": "secret", "host": "a"}, Auth: []byte(`{"token":"secret"}`),
	}}
}
func (*socket) Pending() bool   { return false }
func (*socket) Disconnect(bool) {}
func (s *socket) Supersede()    { s.superseded.Add(1) }

// wire is a bus whose node can be frozen: it then hears and says nothing.
type wire struct {
	cluster.Bus
	frozen *frozen
}

type frozen struct {
	mu sync.Mutex
	on bool
}

func (f *frozen) set(on bool) { f.mu.Lock(); f.on = on; f.mu.Unlock() }
func (f *frozen) is() bool    { f.mu.Lock(); defer f.mu.Unlock(); return f.on }

func (w wire) Publish(m *cluster.Message) error {
	if w.frozen.is() {
		return nil
	}
	return w.Bus.Publish(m)
}

func (w wire) Answer(r, m *cluster.Message) error {
	if w.frozen.is() {
		return nil
	}
	return w.Bus.Answer(r, m)
}

// freezable wraps connect: the node it makes obeys f.
func freezable(connect cluster.Connect, f *frozen) cluster.Connect {
	return func(ns string, r cluster.Receiver) (cluster.Bus, error) {
		b, err := connect(ns, deafness{r, f})
		return wire{b, f}, err
	}
}

type deafness struct {
	cluster.Receiver
	frozen *frozen
}

func (d deafness) Receive(m *cluster.Message) {
	if !d.frozen.is() {
		d.Receiver.Receive(m)
	}
}

// pair makes two nodes that know each other; the second can be frozen.
func pair(t *testing.T, opts cluster.Options) (a, b *cluster.Adapter, la, lb *local, f *frozen) {
	t.Helper()
	loop, f := cluster.NewLoopback(), new(frozen)
	la, lb = new(local), new(local)
	a = newNodes(t, loop.Connect, opts, la)[0]
	b, err := cluster.Make(freezable(loop.Connect, f), opts, lb)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close(context.Background()) })
	for _, n := range []*cluster.Adapter{a, b} {
		await(t, func() bool { c, _ := n.ServerCount(t.Context()); return c == 2 }, "two nodes")
	}
	return a, b, la, lb, f
}

func partialOf(t *testing.T, err error) *adapters.PartialError {
	t.Helper()
	var partial *adapters.PartialError
	if !errors.As(err, &partial) {
		t.Fatalf("error %v, want a *PartialError", err)
	}
	return partial
}

// A node that falls silent is lost after the heartbeat timeout: what waits for
// it ends with what there is, and nothing asks it any more.
func TestFrozenNode(t *testing.T) {
	t.Parallel()
	opts := cluster.Options{HeartbeatInterval: 20 * time.Millisecond, HeartbeatTimeout: 400 * time.Millisecond, RequestTimeout: time.Minute}
	a, _, _, _, f := pair(t, opts)
	m := &socket{id: "a1"}
	if err := a.Join(t.Context(), m, "a1"); err != nil {
		t.Fatal(err)
	}
	f.set(true)
	found, err := a.Fetch(t.Context(), adapters.Target{})
	partial := partialOf(t, err)
	if partial.Nodes != 1 || partial.Missing != 1 || partial.Cause != adapters.ErrNodeLost || len(found) != 1 {
		t.Errorf("found %d, error %+v", len(found), partial)
	}
	if found, err := a.Fetch(t.Context(), adapters.Target{}); err != nil || len(found) != 1 {
		t.Errorf("after the loss: found %d, error %v", len(found), err)
	}
	f.set(false)
	await(t, func() bool { n, _ := a.ServerCount(t.Context()); return n == 2 }, "the node to be known again")
}

// A node that leaves says so: what waits for it ends at once.
func TestNodeLeavesDuringRequest(t *testing.T) {
	t.Parallel()
	a, b, _, lb, _ := pair(t, cluster.Options{RequestTimeout: time.Minute})
	done := make(chan error, 1)
	go func() { // ends with the loss of the node
		done <- a.ServerSideEmit(context.Background(), parser.Args{JSON: []byte(`["q"]`)}, func(parser.Args) {})
	}()
	await(t, func() bool { return lb.heard() == 1 }, "the other node to be asked")
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := partialOf(t, <-done); p.Missing != 1 || p.Nodes != 1 || p.Cause != adapters.ErrNodeLost {
		t.Errorf("error %+v", p)
	}
	if n, err := a.ServerCount(t.Context()); n != 1 || err != nil {
		t.Errorf("%d nodes, %v", n, err)
	}
}

// What a bus has read is of its namespace, though most wire forms do not say so:
// clients drop events of namespaces that they are not in.
func TestReceivedPacketIsOfTheNamespace(t *testing.T) {
	t.Parallel()
	a, _, la, _, _ := pair(t, cluster.Options{})
	if err := a.Join(t.Context(), &socket{id: "a1"}, "a1"); err != nil {
		t.Fatal(err)
	}
	a.Receive(&cluster.Message{Type: cluster.Broadcast, From: "other", Packet: &parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(`["q"]`)}}})
	la.mu.Lock()
	defer la.mu.Unlock()
	if want := []string{`/test ["q"]`}; !slices.Equal(la.got, want) {
		t.Errorf("delivered %q, want %q", la.got, want)
	}
}

// Acks that never come are forgotten on the node that asked its sockets, after
// the time that the caller set.
func TestForgottenAcks(t *testing.T) {
	t.Parallel()
	a, b, _, lb, _ := pair(t, cluster.Options{})
	if err := b.Join(t.Context(), &socket{id: "b1"}, "b1"); err != nil {
		t.Fatal(err)
	}
	p := &parser.Packet{Type: parser.Event, Namespace: "/test", Args: parser.Args{JSON: []byte(`["q"]`)}}
	err := a.BroadcastAck(t.Context(), p, adapters.Target{Flags: adapters.Flags{Timeout: 50 * time.Millisecond}}, func(parser.Args) {})
	if got := partialOf(t, err); got.Missing != 1 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %+v", got)
	}
	await(t, func() bool { return lb.askedNow() == 0 }, "the acks to be forgotten")
}

// Close ends the asks of other nodes and the calls that wait.
func TestCloseEndsWhatWaits(t *testing.T) {
	t.Parallel()
	a, b, la, lb, _ := pair(t, cluster.Options{RequestTimeout: time.Minute})
	if err := b.Join(t.Context(), &socket{id: "b1"}, "b1"); err != nil {
		t.Fatal(err)
	}
	p := &parser.Packet{Type: parser.Event, Namespace: "/test", Args: parser.Args{JSON: []byte(`["q"]`)}}
	done := make(chan error, 1)
	go func() { // ends with Close
		done <- a.BroadcastAck(context.Background(), p, adapters.Target{}, func(parser.Args) {})
	}()
	await(t, func() bool { return lb.askedNow() == 1 }, "the socket to be asked")
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := lb.askedNow(); n != 0 {
		t.Errorf("%d acks are remembered by a closed node", n)
	}
	partialOf(t, <-done) // the node is lost
	go func() {          // ends with Close
		done <- a.ServerSideEmit(context.Background(), parser.Args{JSON: []byte(`["q"]`)}, func(parser.Args) {})
	}()
	if err := <-done; err != nil { // nobody else is there
		t.Errorf("alone: %v", err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.BroadcastAck(t.Context(), p, adapters.Target{}, nil); !errors.Is(err, adapters.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := a.Join(t.Context(), &socket{id: "x"}, "x"); !errors.Is(err, adapters.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if n := la.askedNow(); n != 0 {
		t.Errorf("%d acks are remembered", n)
	}
}

// Credentials do not leave the node, and stay in its own sockets.
func TestRedact(t *testing.T) {
	t.Parallel()
	a, b, _, _, _ := pair(t, cluster.Options{Redact: func(h *adapters.Handshake) {
		delete(h.Headers, "cookie")
		h.Auth = nil
	}})
	if err := b.Join(t.Context(), &socket{id: "b1"}, "b1"); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		node   *cluster.Adapter
		cookie string
	}{{a, ""}, {b, "secret"}} {
		found, err := tc.node.Fetch(t.Context(), adapters.Target{})
		if err != nil || len(found) != 1 {
			t.Fatalf("found %d, %v", len(found), err)
		}
		if h := found[0].Handshake; h.Headers["cookie"] != tc.cookie || h.Headers["host"] != "a" || (h.Auth == nil) != (tc.cookie == "") {
			t.Errorf("handshake %+v, want the cookie %q", h, tc.cookie)
		}
	}
}

// unconfirmed is a bus that has no link.
type unconfirmed struct{ cluster.Bus }

func (unconfirmed) Confirm(ctx context.Context, rooms []string) error {
	if slices.Contains(rooms, "slow") {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return errTestLink
}

var errTestLink = errors.New("no link")

func TestSubscriptionPending(t *testing.T) {
	t.Parallel()
	connect := func(ns string, r cluster.Receiver) (cluster.Bus, error) {
		b, err := cluster.NewLoopback().Connect(ns, r)
		return unconfirmed{b}, err
	}
	l := new(local)
	a := newNodes(t, connect, cluster.Options{JoinTimeout: 10 * time.Millisecond}, l)[0]
	m := &socket{id: "m"}
	for room, cause := range map[string]error{"slow": context.DeadlineExceeded, "fast": errTestLink} {
		err := a.Join(t.Context(), m, room)
		var pending *adapters.SubscriptionPending
		if !errors.As(err, &pending) || !slices.Equal(pending.Rooms, []string{room}) || !errors.Is(err, cause) {
			t.Errorf("Join(%s): %v", room, err)
		}
		if !slices.Contains(a.RoomsOf(m), room) {
			t.Errorf("not in %s", room)
		}
	}
	if err := a.SocketsJoin(t.Context(), adapters.Target{}, "fast"); !errors.Is(err, errTestLink) {
		t.Errorf("SocketsJoin: %v", err)
	}
}

// What a bus delivers before Connect returned comes after it, in order.
func TestEarlyMessages(t *testing.T) {
	t.Parallel()
	l := new(local)
	var gaps []cluster.Gap
	connect := func(ns string, r cluster.Receiver) (cluster.Bus, error) {
		for _, e := range []string{`["1"]`, `["2"]`} {
			r.Receive(&cluster.Message{Type: cluster.ServerSideEmit, From: "x", Args: parser.Args{JSON: []byte(e)}})
		}
		r.Gap(cluster.Gap{})
		return cluster.NewLoopback().Connect(ns, r)
	}
	newNodes(t, func(ns string, r cluster.Receiver) (cluster.Bus, error) {
		b, err := connect(ns, r)
		return counting{b}, err
	}, cluster.Options{OnGap: func(_ string, g cluster.Gap) { gaps = append(gaps, g) }}, l)
	if l.heard() != 2 || len(gaps) != 1 {
		t.Errorf("%d events and %d gaps, want 2 and 1", l.heard(), len(gaps))
	}
	wrong := errors.New("wrong")
	if _, err := cluster.New(func(string, cluster.Receiver) (cluster.Bus, error) { return nil, wrong }, cluster.Options{})(l); !errors.Is(err, wrong) {
		t.Errorf("error %v", err)
	}
}

// counting is a bus without heartbeats.
type counting struct{ cluster.Bus }

func (c counting) Traits() cluster.Traits {
	t := c.Bus.Traits()
	t.Heartbeats = false
	return t
}

// While nobody can tell how many nodes there are a request gives what this node
// has, and the reason.
func TestUnknownNodes(t *testing.T) {
	t.Parallel()
	connect := func(ns string, r cluster.Receiver) (cluster.Bus, error) {
		b, err := cluster.NewLoopback().Connect(ns, r)
		return lost{counting{b}}, err
	}
	a, err := cluster.Make(connect, cluster.Options{}, new(local))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(context.Background()) })
	if err := a.Join(t.Context(), &socket{id: "a"}, "a"); err != nil {
		t.Fatal(err)
	}
	found, err := a.Fetch(t.Context(), adapters.Target{})
	if p := partialOf(t, err); len(found) != 1 || p.Nodes != 1 || !errors.Is(err, errTestLink) {
		t.Errorf("found %d, %+v", len(found), p)
	}
}

type lost struct{ cluster.Bus }

func (lost) Living(context.Context, []string) (int, []string, error) { return 0, nil, errTestLink }

// A request whose context ends before the nodes are counted goes by the last
// count, and ends with the cause.
func TestContextEndsBeforeTheCount(t *testing.T) {
	t.Parallel()
	connect := func(ns string, r cluster.Receiver) (cluster.Bus, error) {
		b, err := cluster.NewLoopback().Connect(ns, r)
		return &slowCount{Bus: counting{b}}, err
	}
	a, err := cluster.Make(connect, cluster.Options{}, new(local))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(context.Background()) })
	if err := a.Join(t.Context(), &socket{id: "a"}, "a"); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("asker gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if found, err := a.Fetch(ctx, adapters.Target{}); len(found) != 1 || err != nil {
		t.Errorf("alone: found %d, %v", len(found), err)
	}
	a2, err := cluster.Make(func(ns string, r cluster.Receiver) (cluster.Bus, error) {
		b, err := cluster.NewLoopback().Connect(ns, r)
		return &slowCount{Bus: counting{b}, more: 2}, err
	}, cluster.Options{}, new(local))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a2.Close(context.Background()) })
	_, err = a2.Fetch(ctx, adapters.Target{})
	if p := partialOf(t, err); p.Nodes != 2 || !errors.Is(err, cause) {
		t.Errorf("among three: %+v", p)
	}
}

// slowCount is a bus that counts quickly once.
type slowCount struct {
	cluster.Bus
	more  int
	asked atomic.Bool
}

func (s *slowCount) Living(ctx context.Context, known []string) (int, []string, error) {
	if s.asked.Swap(true) {
		<-ctx.Done()
		return 0, nil, ctx.Err()
	}
	n, gone, err := s.Bus.Living(ctx, known)
	return n + s.more, gone, err
}
