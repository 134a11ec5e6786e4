package socketio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/parser"
)

// TestErrorAcks: what a handler's error becomes.
//
// compat: ack function
func TestErrorAcks(t *testing.T) {
	var log bytes.Buffer
	run(t, socketio.Config{Log: slog.New(slog.NewTextHandler(&log, nil))}, func(r *rig) {
		log.Reset()
		var j journal
		r.srv.OnError(func(s *socketio.Socket, event string, err error) { j.add("%s", event) })
		fail := func(name string, err error) {
			r.srv.On(name, func(context.Context, *socketio.Socket, *socketio.Event) error { return err })
		}
		fail("own", fmt.Errorf("wrapped: %w", &socketio.Error{Code: "full", Message: "no <room>", Data: []int{1}}))
		fail("errorf", socketio.Errorf("c", "m %d", 1))
		fail("secret", errors.New("the password is 1234"))
		r.srv.On("panic", func(context.Context, *socketio.Socket, *socketio.Event) error { panic("with 1234") })
		r.srv.On("typed", socketio.Reply(func(ctx context.Context, s *socketio.Socket, n int) (int, error) { return n, nil }))
		r.srv.On("acked", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			return errors.Join(e.Ack("first"), errors.New("after"))
		})
		r.srv.On("unencodable", socketio.Reply(func(ctx context.Context, s *socketio.Socket, _ event.None) (any, error) {
			return func() {}, nil
		}))
		p := r.join("/")
		for i, c := range []struct{ packet, want string }{
			{`["own"]`, `[{"error":{"code":"full","message":"no <room>","data":[1]}}]`},
			{`["errorf"]`, `[{"error":{"code":"c","message":"m 1"}}]`},
			{`["secret"]`, `[{"error":{"code":"internal","message":"internal error"}}]`},
			{`["panic"]`, `[{"error":{"code":"internal","message":"internal error"}}]`},
			{`["typed"]`, `[{"error":{"code":"bad_request","message":"argument 0: missing"}}]`},
			{`["acked"]`, `["first"]`},
			{`["unencodable"]`, `[{"error":{"code":"internal","message":"internal error"}}]`},
			{`["typed",1,"surplus"]`, `[1]`},
		} {
			p.send(fmt.Sprintf("42%d%s", i, c.packet))
			p.want(fmt.Sprintf("43%d%s", i, c.want), c.packet)
			p.send("42" + c.packet)
		}
		p.send(`4299["typed","x"]`)
		p.wantMatch(`^4399\[\{"error":\{"code":"bad_request","message":"argument 0: invalid"\}\}\]$`, "a wrong type")
		p.send(`42100["nobody handles this"]`)
		p.wantIdle("without a request nothing is answered, nor without a handler")
		if n := r.srv.Stats().Panics; n != 2 {
			r.Errorf("%d panics are counted", n)
		}
		if len(j.all()) != 14 {
			r.Errorf("OnError heard %q", j.all())
		}
		for _, word := range []string{"password is 1234", "panic: with 1234", "handler_test.go"} {
			if !strings.Contains(log.String(), word) {
				r.Errorf("%q is not in the log", word)
			}
		}
	})
}

func TestAckError(t *testing.T) {
	cfg := socketio.Config{AckError: func(err error) any { return "mine: " + err.Error() }}
	runWebSocket(t, cfg, func(r *rig) {
		r.srv.On("x", func(context.Context, *socketio.Socket, *socketio.Event) error { return errors.New("e") })
		p := r.join("/")
		p.send(`420["x"]`)
		p.want(`430["mine: e"]`, "the rule was replaced")
	})
}

// bomb is a value whose encoding panics.
type bomb struct{}

func (bomb) MarshalJSON() ([]byte, error) { panic("encoded") }

// mute is an error whose text panics.
type mute struct{}

func (mute) Error() string { panic("asked for its text") }

// causes is of how many errors err was joined.
func causes(err error) (n int) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return 1
	}
	for _, e := range joined.Unwrap() {
		n += causes(e)
	}
	return n
}

// What an error becomes is the application's, too: where that fails the client
// hears that there was an error, OnError hears all, and the server goes on.
func TestAckErrorFails(t *testing.T) {
	failing := errors.New("of the handler")
	for name, c := range map[string]struct {
		rule   func(error) any
		err    error
		panics uint64
	}{
		"the rule panics":       {func(error) any { panic("rule") }, failing, 1},
		"its result panics":     {func(error) any { return bomb{} }, failing, 1},
		"its result is no JSON": {func(error) any { return func() {} }, failing, 0},
		"the data panic":        {nil, &socketio.Error{Code: "c", Data: bomb{}}, 1},
		"the data are no JSON":  {nil, &socketio.Error{Code: "c", Data: func() {}}, 0},
		"the text panics":       {func(err error) any { return err.Error() }, mute{}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, socketio.Config{AckError: c.rule}, func(r *rig) {
				heard := make(chan error, 4)
				r.srv.OnError(func(_ *socketio.Socket, _ string, err error) { heard <- err })
				r.srv.On("x", func(context.Context, *socketio.Socket, *socketio.Event) error { return c.err })
				p := r.join("/")
				p.send(`420["x"]`)
				p.want(`430[{"error":{"code":"internal","message":"internal error"}}]`, "that there was an error")
				if err := <-heard; !errors.Is(err, c.err) || causes(err) < 2 {
					r.Errorf("OnError heard %#v", err)
				}
				if n := r.srv.Stats().Panics; n != c.panics {
					r.Errorf("%d panics are counted", n)
				}
				p.send(`42["x"]`)
				if err := <-heard; !errors.Is(err, c.err) || causes(err) != 1 {
					r.Errorf("without a request OnError heard %#v", err)
				}
			})
		})
	}
}

// The same of a server-side event: the other node is told, and nothing ends.
func TestServerSideAckErrorFails(t *testing.T) {
	var local adapters.Local
	cfg := socketio.Config{AckError: func(error) any { panic("rule") }, Adapter: func(l adapters.Local) (adapters.Adapter, error) {
		local = l
		return memory.New()(l)
	}}
	runWebSocket(t, cfg, func(r *rig) {
		r.srv.OnServerSide("x", func(context.Context, *socketio.Event) error { return errors.New("of the handler") })
		got := make(chan string, 1)
		local.ServerSideEvent(parser.Args{JSON: []byte(`["x"]`)}, func(a parser.Args) { got <- string(a.JSON) })
		if text := <-got; text != `[{"error":{"code":"internal","message":"internal error"}}]` {
			r.Errorf("the other node is told %s", text)
		}
	})
}

// trap is an error that panics when somebody looks into it, as one does whose
// pointer is nil.
type trap struct{ inner error }

func (*trap) Error() string   { return "trap" }
func (e *trap) Unwrap() error { return e.inner }

// An error that cannot be looked at ends nothing, wherever it comes from.
func TestErrorThatPanics(t *testing.T) {
	var broken *trap
	for name, log := range map[string]*slog.Logger{"without a log": nil, "with a log": slog.New(slog.NewTextHandler(io.Discard, nil))} {
		t.Run(name, func(t *testing.T) {
			run(t, socketio.Config{Log: log}, func(r *rig) {
				r.srv.On("x", func(context.Context, *socketio.Socket, *socketio.Event) error { return broken })
				r.srv.Of("/x").Use(func(context.Context, *socketio.Socket) error { return broken })
				r.srv.Of("/y").OnConnect(func(context.Context, *socketio.Socket) error { return broken })
				p := r.join("/")
				p.send(`420["x"]`)
				p.want(`430[{"error":{"code":"internal","message":"internal error"}}]`, "that there was an error")
				p.send("40/x,")
				p.want(`44/x,{"message":"internal error"}`, "of a middleware")
				p.send("40/y,")
				p.wantMatch(`^40/y,`, "joined")
				p.want("41/y,", "of OnConnect")
			})
		})
	}
}

// deafCodec is a codec that has the application's faults.
type deafCodec struct {
	parser.JSON
	err error // nil panics
}

func (f deafCodec) Append([]byte, [][]byte, any) ([]byte, [][]byte, error) {
	if f.err == nil {
		panic("codec")
	}
	return nil, nil, f.err
}

// A client whose CONNECT is refused is told so in a form that it reads, also where
// nothing can be encoded.
func TestRefusedWithoutCodec(t *testing.T) {
	for _, f := range []deafCodec{{}, {err: errors.New("codec")}} {
		runWebSocket(t, socketio.Config{JSON: f}, func(r *rig) {
			r.srv.Of("/x").Use(func(context.Context, *socketio.Socket) error { return errors.New("no") })
			p := r.open()
			p.send("40/x,")
			p.want(`44/x,{"message":"internal error"}`, "refused")
		})
	}
}

// TestOnErrorPanics: whoever is told of an error may fail himself.
func TestOnErrorPanics(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		r.srv.OnError(func(*socketio.Socket, string, error) { panic("again") })
		r.srv.OnDisconnect(func(*socketio.Socket, socketio.Reason) { panic("there too") })
		r.srv.On("x", func(context.Context, *socketio.Socket, *socketio.Event) error { panic("x") })
		p := r.join("/")
		p.send(`42["x"]`, `420["x"]`)
		p.wantMatch(`^430\[\{"error"`, "the socket lives")
	})
}

func TestCatchAllAndMiddleware(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var j journal
		around := func(name string) func(socketio.Handler) socketio.Handler {
			return func(next socketio.Handler) socketio.Handler {
				return func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
					j.add("%s %s", name, e.Name())
					if e.Name() == "forbidden" {
						return &socketio.Error{Code: "no", Message: "no entry"}
					}
					return next(ctx, s, e)
				}
			}
		}
		r.srv.UseEvent(around("first"))
		handled := func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			j.add("handler %s %d", e.Name(), e.Len())
			return nil
		}
		r.srv.On("a", handled)
		r.srv.On("forbidden", handled)
		r.srv.On("gone", handled)
		r.srv.On("gone", nil)
		r.srv.UseEvent(around("second"))
		r.srv.OnAny(func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			j.add("any %s", e.Name())
			return nil
		})
		r.srv.OnConnect(func(ctx context.Context, s *socketio.Socket) error {
			s.On("own", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
				j.add("own handler")
				return nil
			})
			s.On("a", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
				s.On("a", nil)
				j.add("override")
				return nil
			})
			return nil
		})
		p := r.join("/")
		p.send(`42["a"]`, `42["a",1,2]`, `42["own"]`, `420["forbidden"]`, `42["gone"]`, `42[7]`)
		p.want(`430[{"error":{"code":"no","message":"no entry"}}]`, "the middleware's error is the ack")
		p.wantIdle("that is all")
		j.want(r.T,
			"any a", "first a", "second a", "override",
			"any a", "first a", "second a", "handler a 2",
			"any own", "first own", "second own", "own handler",
			"any forbidden", "first forbidden",
			"any gone", "first gone", "second gone",
			"any 7", "first 7", "second 7")
	})
}

// compat: socket.onAnyOutgoing
func TestOnAnyOutgoing(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		var j journal
		r.srv.OnAnyOutgoing(func(s *socketio.Socket, e *socketio.Event) {
			vs, err := e.Values()
			j.add("%s %v %v %v", e.Name(), vs, err, s.Connected())
		})
		p := r.join("/")
		q := r.join("/")
		_ = p.socket().Emit("one", 1, []byte{2})
		_ = r.srv.To(p.sid, q.sid).Emit("all", "x")
		_, _ = p, q
		synctest.Wait()
		j.want(r.T, "one [1 [2]] <nil> true", "all [x] <nil> true", "all [x] <nil> true")
	})
}

// compat: socket.emit
// compat: reserved event names
func TestReservedNames(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		p := r.join("/")
		for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
			_, ackErr := p.socket().EmitWithAck(r.Context(), name)
			_, allErr := r.srv.EmitWithAck(r.Context(), name)
			for _, err := range []error{p.socket().Emit(name), r.srv.Emit(name), ackErr, allErr} {
				if !errors.Is(err, socketio.ErrReserved) {
					r.Errorf("%s: %v", name, err)
				}
			}
		}
		var enc *socketio.EncodeError
		if err := r.srv.Emit("x", make(chan int)); !errors.As(err, &enc) || enc.Event != "x" {
			r.Error(err)
		}
		if err := p.socket().Emit("x", 1, func() {}); !errors.As(err, &enc) {
			r.Error(err)
		}
		p.wantIdle("nothing of it was sent")
	})
}

// TestJSON is written as JavaScript writes it.
func TestJSON(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		r.srv.On("raw", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			return s.Emit("raw", e.Raw(0))
		})
		p := r.join("/")
		_ = p.socket().Emit("x", "<&>\u2028", math.NaN(), math.Copysign(0, -1), nil, []any{nil}, int64(1<<60))
		p.want("42[\"x\",\"<&>\u2028\",null,0,null,[null],1152921504606846976]", "no escapes for HTML")
		p.send(`42["raw",{"z":12345678901234567890,"__proto__":[1.50]}]`)
		p.want(`42["raw",{"z":12345678901234567890,"__proto__":[1.50]}]`, "raw arguments stay as they are")
		_ = p.socket().Emit("none")
		p.want(`42["none"]`, "no arguments")
	})
}

type move struct {
	event.Args
	X, Y int
	Note string
}

func TestTyped(t *testing.T) {
	const (
		step  socketio.Message[move]                   = "step"
		add   socketio.Request[move, move]             = "add"
		ping  socketio.Request[event.None, event.None] = "ping"
		bytes socketio.Request[[]byte, []byte]         = "bytes"
		ptr   socketio.Request[*move, *move]           = "ptr"
	)
	run(t, socketio.Config{}, func(r *rig) {
		socketio.HandleMessage(r.srv, step, func(ctx context.Context, s *socketio.Socket, m move) error {
			m.X++
			return step.Emit(s, m)
		})
		socketio.HandleRequest(r.srv, add, func(ctx context.Context, s *socketio.Socket, m move) (move, error) {
			return move{X: m.X + m.Y, Note: m.Note}, nil
		})
		socketio.HandleRequest(r.srv, ptr, func(ctx context.Context, s *socketio.Socket, m *move) (*move, error) { return m, nil })
		socketio.HandleRequest(r.srv, ping, func(context.Context, *socketio.Socket, event.None) (event.None, error) {
			return event.None{}, nil
		})
		socketio.HandleRequest(r.srv, bytes, func(ctx context.Context, s *socketio.Socket, b []byte) ([]byte, error) {
			return append(b, 9), nil
		})
		p := r.join("/")
		p.send(`42["step",1,2,"n",true]`)
		p.want(`42["step",2,2,"n"]`, "several arguments")
		p.send(`420["add",1,2,"n"]`)
		p.want(`430[3,0,"n"]`, "several values in the ack")
		p.send(`421["add",1,2]`)
		p.want(`431[{"error":{"code":"bad_request","message":"argument 2: missing"}}]`, "one is missing")
		p.send(`422["ping"]`)
		p.want(`432[]`, "none at all")
		p.send(`451-3["bytes",{"_placeholder":true,"num":0}]`, "b\x01")
		p.want(`461-3[{"_placeholder":true,"num":0}]`, "bytes in the ack")
		p.want("b\x01\x09", "they")
		p.send(`424["ptr",4,5,"p"]`)
		p.want(`434[4,5,"p"]`, "through pointers")
	})
}

// TestTypedArgumentsAreTheHandlers: what was decoded for one event does not
// change with the next.
func TestTypedArgumentsAreTheHandlers(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		var kept list[map[string][]int]
		r.srv.On("keep", socketio.Receive(func(ctx context.Context, s *socketio.Socket, v map[string][]int) error {
			kept.add(v)
			return nil
		}))
		p := r.join("/")
		p.send(batches(3, 3, `42["keep",{"a":[%d]}]`)...)
		p.send(`42["keep",{"b":[9]}]`)
		r.eventually("four events", func() bool { return len(kept.all()) == 4 })
		if got := fmt.Sprint(kept.all()); got != "[map[a:[0]] map[a:[1]] map[a:[2]] map[b:[9]]]" {
			r.Error(got)
		}
	})
}

// TestContext: the values of the request, its end, and contexts made from it.
func TestContext(t *testing.T) {
	runWebSocket(t, socketio.Config{}, func(r *rig) {
		var ctxs list[context.Context]
		r.srv.On("x", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			child, cancel := context.WithTimeout(ctx, time.Hour)
			_ = cancel // the end of the socket ends it
			ctxs.add(ctx)
			ctxs.add(child)
			ctxs.add(s.Context())
			if _, ok := ctx.Deadline(); ok || ctx.Err() != nil || context.Cause(ctx) != nil {
				r.Error("a context with an end before the end")
			}
			return nil
		})
		p := r.join("/")
		p.send(`42["x"]`)
		r.eventually("the event", func() bool { return len(ctxs.all()) == 3 })
		p.send("41")
		for i, ctx := range ctxs.all() {
			<-ctx.Done()
			var left *socketio.DisconnectError
			if !errors.Is(ctx.Err(), context.Canceled) || !errors.As(context.Cause(ctx), &left) {
				r.Errorf("%d: %v, %v", i, ctx.Err(), context.Cause(ctx))
			}
		}
	})
}

// TestMalformed: each closes the connection, as the official server does, and
// OnError hears of it.
//
// compat: 5.7.11
func TestMalformed(t *testing.T) {
	for _, packets := range [][]string{
		{"47"}, {"49[]"}, {"4x"}, {"4"}, {`42abc["x"]`}, {`42["x"`}, {`42["x"]]`}, {`42{"x":1}`}, {`42"x"`}, {`42[]`}, {`42[null]`},
		{`42[true]`}, {`42[{}]`}, {`42[["x"]]`}, {`42[{"toString":1}]`}, {`42-1["x"]`}, {`421.5["x"]`}, {`42["connect"]`},
		{`42["disconnect"]`}, {`42["\u0063onnect"]`}, {`431{"a":1}`}, {`41{"a":1}`}, {`44{"message":"x"}`}, {`45["x"]`}, {`45-["x"]`}, {`450-["x"]`},
		{`45 1-["x"]`}, {`450x1-["x"]`}, {`451e1-["x"]`}, {`4511-["x"]`}, {`4599999999999999999999-["x"]`}, {`45-1-["x"]`},
		{`451-["x",{"_placeholder":true,"num":1}]`, "b\x01"}, {`451-["x",{"_placeholder":true,"num":-1}]`, "b\x01"},
		{`451-["x",{"_placeholder":true,"num":0.5}]`, "b\x01"}, {`451-["x",{"_placeholder":true,"num":"splice"}]`, "b\x01"},
		{`451-["x",{"_placeholder":true,"num":0}]`, `42["y"]`}, {"b\x01"}, {`451-["x",{"_placeholder":true,"num":0}]`, "b\x01", "b\x02"},
		{`42[` + strings.Repeat("[", 1_000_000/2) + strings.Repeat("]", 1_000_000/2-10) + `]`},
		{`42["x",` + strings.Repeat("[", 400_000) + strings.Repeat("]", 400_000) + `]`},
	} {
		t.Run(fmt.Sprintf("%.30q", packets), func(t *testing.T) {
			run(t, socketio.Config{}, func(r *rig) {
				var errs list[error]
				var reasons list[socketio.Reason]
				r.srv.OnAny(func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
					if e.Name() == "y" || len(packets) != 3 {
						r.Errorf("handled %s", e.Name())
					}
					return nil
				})
				r.srv.OnError(func(s *socketio.Socket, event string, err error) { errs.add(err) })
				r.srv.OnDisconnect(func(s *socketio.Socket, why socketio.Reason) { reasons.add(why) })
				p := r.join("/")
				synctest.Wait()
				for _, m := range packets {
					_ = p.write(message(m)) // the connection may be gone before the last
				}
				p.wantClosed("the protocol was broken")
				r.eventually("the end", func() bool { return len(reasons.all()) == 1 })
				reason, heard := reasons.all()[0], errs.all()
				if reason != socketio.ForcedClose && reason != socketio.TransportError && reason != socketio.ForcedServerClose {
					r.Errorf("reason %q", reason)
				}
				var broken *parser.Error
				if reason == socketio.ForcedClose && packets[0] != `44{"message":"x"}` && (len(heard) != 1 || !errors.As(heard[0], &broken)) {
					r.Errorf("OnError heard %v", heard)
				}
			})
		})
	}
}

// TestIgnored: packets without meaning, which the official server ignores.
func TestIgnored(t *testing.T) {
	run(t, socketio.Config{}, func(r *rig) {
		p := r.join("/")
		p.send("42", "420", "43", "43[1]", "439999[1]", `42["no handler"]`, `42["error"]`, `42["__proto__"]`, `42[1e400]`)
		p.wantIdle("nothing to answer")
		if !p.socket().Connected() {
			r.Error("it was disconnected")
		}
	})
}
