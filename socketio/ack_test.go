package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
)

// asking asks the peer on a goroutine of its own.
func asking(f func() (socketio.Args, error)) (result func() (string, error)) {
	var got socketio.Args
	var err error
	var wg sync.WaitGroup
	wg.Go(func() { got, err = f() })
	return func() (string, error) {
		wg.Wait()
		return string(got.Raw(0)), err
	}
}

// compat: socket.emitWithAck
func TestEmitWithAck(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		p := r.join("/")
		s := p.socket()
		var results []func() (string, error)
		for range 10 {
			results = append(results, asking(func() (socketio.Args, error) { return s.EmitWithAck(r.Context(), "q", []byte{1}) }))
			synctest.Wait()
		}
		for i := range 10 {
			p.want(fmt.Sprintf(`451-%d["q",{"_placeholder":true,"num":0}]`, i), "a question with bytes")
			p.want("b\x01", "the bytes")
		}
		p.send(`43999["unknown"]`, `43["no id"]`, `43`)
		for i := 9; i >= 0; i-- {
			p.send(fmt.Sprintf(`43%d["a%d"]`, i, i), fmt.Sprintf(`43%d["double"]`, i))
		}
		for i, result := range results {
			if got, err := result(); err != nil || got != fmt.Sprintf(`"a%d"`, i) {
				r.Errorf("question %d: %s, %v", i, got, err)
			}
		}
		p.wantIdle("unknown and double acks are ignored")
	})
}

func TestAckTimeouts(t *testing.T) {
	run(t, socketio.Config{AckTimeout: 3 * time.Second}, func(r *rig) {
		p := r.join("/")
		s := p.socket()
		start := time.Now()
		_, err := s.EmitWithAck(r.Context(), "q")
		var missing *socketio.AckError
		if !errors.As(err, &missing) || missing.Missing != 1 || !errors.Is(err, context.DeadlineExceeded) || !missing.Timeout() {
			r.Errorf("after AckTimeout: %v", err)
		}
		if d := time.Since(start); d < 3*time.Second || d > 6*time.Second {
			r.Errorf("it took %v", d)
		}
		ctx, cancel := context.WithTimeout(r.Context(), 100*time.Millisecond)
		defer cancel()
		start = time.Now()
		if _, err = s.EmitWithAck(ctx, "q"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 100*time.Millisecond {
			r.Errorf("after the deadline of ctx: %v, %v", err, time.Since(start))
		}
		p.want(`420["q"]`, "the first question")
		p.want(`421["q"]`, "the second")
		p.send(`430["late"]`, `431["late"]`)
		p.wantIdle("late acks are ignored")
		if !s.Connected() {
			r.Error("the socket is gone")
		}
	})
}

// TestAckOfSocketThatLeaves: the wait ends with the socket.
func TestAckOfSocketThatLeaves(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		p := r.join("/")
		s := p.socket()
		one := asking(func() (socketio.Args, error) { return s.EmitWithAck(context.Background(), "q") })
		two := asking(func() (socketio.Args, error) { return s.EmitWithAck(context.Background(), "q") })
		p.wantMatch(`^42\d\["q"\]$`, "a question")
		p.wantMatch(`^42\d\["q"\]$`, "another")
		p.send("41")
		for _, result := range []func() (string, error){one, two} {
			_, err := result()
			var left *socketio.DisconnectError
			if !errors.As(err, &left) || left.Reason != socketio.ClientNamespaceDisconnect ||
				!errors.Is(err, socketio.ErrClosed) || !errors.Is(err, net.ErrClosed) {
				r.Errorf("the wait ended with %v", err)
			}
		}
		if _, err := s.EmitWithAck(r.Context(), "q"); !errors.Is(err, socketio.ErrClosed) {
			r.Errorf("asking a socket that left: %v", err)
		}
		if err := s.Emit("x"); !errors.Is(err, socketio.ErrClosed) {
			r.Errorf("emitting to a socket that left: %v", err)
		}
	})
}

type sum struct {
	event.Args
	A, B int
}

// compat: socket.emitWithAck
func TestCall(t *testing.T) {
	const add event.Request[sum, sum] = "add"
	run(t, socketio.Config{}, func(r *rig) {
		p := r.join("/")
		var got sum
		var err error
		var wg sync.WaitGroup
		wg.Go(func() { got, err = add.Call(r.Context(), p.socket(), sum{A: 1, B: 2}) })
		p.want(`420["add",1,2]`, "the fields are the arguments")
		p.send(`430[3,4,"surplus"]`)
		wg.Wait()
		if err != nil || got != (sum{A: 3, B: 4}) {
			r.Errorf("%v, %v", got, err)
		}
		wg.Go(func() { got, err = add.Call(r.Context(), p.socket(), sum{}) })
		p.want(`421["add",0,0]`, "another")
		p.send(`431[3]`)
		wg.Wait()
		var missing *socketio.ArgError
		if !errors.As(err, &missing) || missing.Index != 1 {
			r.Errorf("a missing argument: %v", err)
		}
	})
}

// Call with modifiers, and to a socket that another node may have.
//
// compat: remoteSocket.emitWithAck
func TestCallByOthers(t *testing.T) {
	const add event.Request[sum, sum] = "add"
	run(t, socketio.Config{}, func(r *rig) {
		p := r.join("/")
		found, err := r.srv.In(p.socket().ID()).FetchSockets(r.Context())
		if err != nil || len(found) != 1 {
			r.Fatalf("found %v, %v", found, err)
		}
		for i, c := range []event.Caller{p.socket().Timeout(time.Minute), p.socket().Volatile(), found[0], found[0].Timeout(time.Minute)} {
			var got, none sum
			var err, refused error
			var wg sync.WaitGroup
			wg.Go(func() { got, err = add.Call(r.Context(), c, sum{A: 1, B: i}) })
			p.want(fmt.Sprintf(`42%d["add",1,%d]`, 2*i, i), "the request")
			p.send(fmt.Sprintf(`43%d[3,%d]`, 2*i, i))
			wg.Wait()
			wg.Go(func() { none, refused = add.Call(r.Context(), c, sum{}) })
			p.want(fmt.Sprintf(`42%d["add",0,0]`, 2*i+1), "another")
			p.send(fmt.Sprintf(`43%d[{"error":{"code":"c","message":"no"}}]`, 2*i+1))
			wg.Wait()
			var e *socketio.Error
			if err != nil || got != (sum{A: 3, B: i}) || !errors.As(refused, &e) || e.Code != "c" || none != (sum{}) {
				r.Errorf("%T: %v, %v; %v, %v", c, got, err, none, refused)
			}
		}
	})
}

// TestCallHearsErrors: Call took an error ack for the answer where the answer is a
// struct, or does not matter, and returned no error.
func TestCallHearsErrors(t *testing.T) {
	type answer struct{ Room string }
	const ask event.Request[event.None, answer] = "ask"
	run(t, socketio.Config{}, func(r *rig) {
		p := r.join("/")
		for i, c := range []struct {
			ack  string
			want *socketio.Error // nil: it is an answer
		}{
			{`{"error":{"code":"full","message":"no seat","data":{"n":1}}}`, &socketio.Error{Code: "full", Message: "no seat", Data: json.RawMessage(`{"n":1}`)}},
			{`{"error":{"code":"","message":"no"}}`, &socketio.Error{Message: "no"}},
			{`{"room":"a"}`, nil},
			{`{"error":{"code":"full","message":"no seat"},"room":"a"}`, nil},
			{`{"error":{"code":"full","message":"no seat"}},1`, nil},
			{`{"error":{"code":1,"message":"no seat"}}`, nil},
			{`{"error":"no seat"}`, nil},
			{`{"error":null}`, nil},
			{`{}`, nil},
		} {
			var err error
			var wg sync.WaitGroup
			wg.Go(func() { _, err = ask.Call(r.Context(), p.socket(), event.None{}) })
			p.want(fmt.Sprintf(`42%d["ask"]`, i), "the request")
			p.send(fmt.Sprintf(`43%d[%s]`, i, c.ack))
			wg.Wait()
			var got *socketio.Error
			if errors.As(err, &got) != (c.want != nil) || got == nil && err != nil || !reflect.DeepEqual(got, c.want) {
				r.Errorf("%s: %v", c.ack, err)
			}
		}
	})
}

// TestLateAck: an ack may be sent after its handler returned, once, from any
// goroutine; after the namespace was left it is dropped.
//
// compat: ack function
// compat: 5.7.9
func TestLateAck(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		events := make(chan *socketio.Event, 10)
		r.srv.On("keep", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			events <- e
			return nil
		})
		p := r.join("/")
		p.send(`420["keep","a",{"b":1}]`)
		e := <-events
		p.send(`42["keep"]`)
		if other := <-events; other.WantsAck() || other.Ack("x") != nil {
			r.Error("an event without a request: Ack must do nothing")
		}
		synctest.Wait()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := e.Ack("late", []byte{9}); err != nil {
					r.Error(err)
				}
			})
		}
		wg.Wait()
		p.want(`461-0["late",{"_placeholder":true,"num":0}]`, "the ack, for id 0")
		p.want("b\x09", "its bytes")
		p.wantIdle("it is sent once")
		if raw := string(e.Raw(1)); raw != `{"b":1}` || e.Name() != "keep" || e.Len() != 2 {
			r.Errorf("a kept event has %q, %q, %d", raw, e.Name(), e.Len())
		}
		p.send(`427["keep"]`)
		e = <-events
		if err := e.Ack(func() {}); err == nil {
			r.Error("a function was encoded")
		}
		p.send("41", "40")
		p.wantMatch("^40", "joined again")
		if err := e.Ack("too late"); !errors.Is(err, socketio.ErrClosed) {
			r.Errorf("an ack after the namespace was left: %v", err)
		}
		p.wantIdle("it is dropped")
	})
}

// compat: namespace.emitWithAck
// compat: broadcast.emitWithAck
// compat: broadcast.timeout
func TestBroadcastWithAcks(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		a, b, c := r.join("/"), r.join("/"), r.join("/")
		for _, p := range []*peer{a, b, c} {
			_ = p.socket().Join(r.Context(), "room")
		}
		var replies socketio.Replies
		var err error
		var wg sync.WaitGroup
		ask := func() { replies, err = r.srv.To("room").Timeout(time.Second).EmitWithAck(r.Context(), "q") }
		wg.Go(ask)
		for i, p := range []*peer{a, b, c} {
			p.want(`420["q"]`, "one id for all")
			p.send(fmt.Sprintf(`430[%d]`, i))
		}
		wg.Wait()
		if err != nil || len(replies) != 3 {
			r.Fatalf("%d replies, %v", len(replies), err)
		}
		wg.Go(ask)
		for _, p := range []*peer{a, b, c} {
			p.want(`421["q"]`, "the next id")
		}
		b.send("41") // it stays counted
		a.send(`431["a"]`, `431["twice"]`)
		c.send(`430["of the last one"]`)
		wg.Wait()
		var missing *socketio.AckError
		if !errors.As(err, &missing) || missing.Missing != 2 || !missing.Timeout() || len(replies) != 1 || string(replies[0].Raw(0)) != `"a"` {
			r.Fatalf("%d replies, %v", len(replies), err)
		}
		c.send(`431["late"]`)
		c.wantIdle("a late ack is ignored")
		if replies, err = r.srv.To("nowhere").EmitWithAck(r.Context(), "q"); err != nil || len(replies) != 0 {
			r.Errorf("nobody was asked: %v, %v", replies, err)
		}
	})
}

// TestBroadcastAckInHandler: a handler may wait for a broadcast that its own
// client answers, behind more events than its mailbox takes.
func TestBroadcastAckInHandler(t *testing.T) {
	runWebSocket(t, socketio.Config{Mailbox: socketio.Mailbox{Packets: 10}}, func(r *rig) {
		done := make(chan error, 1)
		r.srv.On("ask", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			_, err := r.srv.EmitWithAck(ctx, "q")
			done <- err
			return nil
		})
		p := r.join("/")
		p.send(`42["ask"]`)
		p.want(`420["q"]`, "the broadcast")
		p.send(batches(30, 30, `42["x",%d]`)...)
		p.send(`430[]`)
		if err := <-done; err != nil {
			r.Error(err)
		}
	})
}

// TestIdsAreOfTheNamespace: acks of one namespace are none of another's.
func TestIdsAreOfTheNamespace(t *testing.T) {
	bubble(t, engineio.WebSocket, socketio.Config{}, func(r *rig) {
		other := r.srv.Of("other")
		p := r.join("/")
		id := p.join("/other")
		s := other.Socket(id)
		one := asking(func() (socketio.Args, error) { return s.EmitWithAck(r.Context(), "q") })
		p.want(`42/other,0["q"]`, "the question")
		p.send(`430["wrong namespace"]`, `43/other,0["right"]`)
		if got, err := one(); err != nil || got != `"right"` {
			r.Errorf("%s, %v", got, err)
		}
	})
}
