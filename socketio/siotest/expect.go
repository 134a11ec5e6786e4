package siotest

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/socketio/args"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// Expect waits for the next event of that name, takes it and returns its
// arguments, as sioclient.Receive decodes them; surplus ones are ignored. Events
// of other names stay where they are. m is a descriptor, or the name itself:
//
//	text := siotest.Expect(t, c, Said)
//	text := siotest.Expect[string](t, c, "said")
//
// If none comes within Config.Patience, or it does not fit T, the test ends. So
// it is with the other functions of this package.
func Expect[T any](t testing.TB, c *Client, m event.Message[T]) T {
	t.Helper()
	e := ExpectEvent(t, c, m.Name())
	var v T
	if err := e.Scan(event.Targets(&v)...); err != nil {
		t.Fatalf("siotest: event %s is no %T: %v", entry{event: e}, v, err)
	}
	return v
}

// ExpectEvent is Expect that leaves the arguments to the caller, and the ack:
// the event has none yet unless a handler has answered.
func ExpectEvent(t testing.TB, c *Client, name string) *sioclient.Event {
	t.Helper()
	e, ok := c.rec.wait(c.srv.patience(), true, func(e entry) bool { return e.kind == isEvent && e.event.Name() == name })
	if !ok {
		t.Fatalf("siotest: event %q did not come within %v%s", name, c.srv.patience(), c.told())
	}
	return e.event
}

// Next waits for the next event of whatever name and takes it. It shows the order
// of events with different names.
func Next(t testing.TB, c *Client) *sioclient.Event {
	t.Helper()
	e, ok := c.rec.wait(c.srv.patience(), true, func(e entry) bool { return e.kind == isEvent })
	if !ok {
		t.Fatalf("siotest: no event came within %v%s", c.srv.patience(), c.told())
	}
	return e.event
}

// ExpectNothing expects that no event comes within d, or none of these names,
// and that none was there before. It takes nothing. It also fails if c leaves
// its namespace, or had left it unnoticed: then silence means nothing.
func ExpectNothing(t testing.TB, c *Client, d time.Duration, names ...string) {
	t.Helper()
	bad := func(e entry) bool {
		return e.kind == isDisconnect || e.kind == isEvent && (len(names) == 0 || slices.Contains(names, e.event.Name()))
	}
	e, ok := c.rec.wait(d, false, bad)
	if !ok && c.srv.bubble {
		synctest.Wait() // what comes at the last instant counts
		e, ok, _ = c.rec.find(false, bad)
	}
	if ok {
		t.Fatalf("siotest: %s came, want nothing%s", e, c.told())
	}
}

// ExpectConnect waits until c has joined its namespace; that of Server.Connect is
// taken already, so it is for those that follow.
func ExpectConnect(t testing.TB, c *Client) {
	t.Helper()
	if _, ok := c.rec.wait(c.srv.patience(), true, func(e entry) bool { return e.kind == isConnect }); !ok {
		t.Fatalf("siotest: no connect within %v%s", c.srv.patience(), c.told())
	}
}

// ExpectConnectError waits for the next failure to connect and returns it, a
// *sioclient.ConnectError if the server has refused c.
func ExpectConnectError(t testing.TB, c *Client) error {
	t.Helper()
	e, ok := c.rec.wait(c.srv.patience(), true, func(e entry) bool { return e.kind == isConnectError })
	if !ok {
		t.Fatalf("siotest: no connect_error within %v%s", c.srv.patience(), c.told())
	}
	return e.err
}

// ExpectDisconnect waits until c has left its namespace, for one of the reasons,
// none given meaning any, and returns it. A polling client says TransportError or
// TransportClose for the same loss, depending on what it was doing.
func ExpectDisconnect(t testing.TB, c *Client, reasons ...sioclient.Reason) sioclient.Reason {
	t.Helper()
	e, ok := c.rec.wait(c.srv.patience(), true, func(e entry) bool { return e.kind == isDisconnect })
	if !ok {
		t.Fatalf("siotest: no disconnect within %v%s", c.srv.patience(), c.told())
	}
	if len(reasons) > 0 && !slices.Contains(reasons, e.reason) {
		t.Fatalf("siotest: disconnected for the reason %q, want %q%s", e.reason, reasons, c.told())
	}
	return e.reason
}

// Caller sends events that are answered: a Client, a Socket of either side.
type Caller interface {
	// EmitWithAck sends an event and waits for its ack.
	EmitWithAck(ctx context.Context, event string, args ...any) (sioclient.Args, error)
}

// Call sends a request and returns its answer. An answer that is an error, in the
// form of socketio.Config.AckError's default, ends the test. q is a descriptor,
// or the name of the event with its types, as of Expect.
func Call[In, Out any](t testing.TB, c Caller, q event.Request[In, Out], in In) Out {
	t.Helper()
	got := call(t, c, q.Name(), event.Split(in))
	if e := args.ErrorOf(got); e != nil {
		t.Fatalf("siotest: %q is answered by the error %s: %s", q.Name(), e.Code, e.Message)
	}
	var out Out
	if err := got.Scan(event.Targets(&out)...); err != nil {
		t.Fatalf("siotest: the answer %s to %q is no %T: %v", show(got), q.Name(), out, err)
	}
	return out
}

// CallError is Call that expects an error and returns it; its Data is a
// json.RawMessage, or nil.
func CallError[In, Out any](t testing.TB, c Caller, q event.Request[In, Out], in In) *sioclient.Error {
	t.Helper()
	got := call(t, c, q.Name(), event.Split(in))
	e := args.ErrorOf(got)
	if e == nil {
		t.Fatalf("siotest: %q is answered by %s, want an error", q.Name(), show(got))
	}
	return e
}

func call(t testing.TB, c Caller, name string, args []any) sioclient.Args {
	t.Helper()
	got, err := c.EmitWithAck(t.Context(), name, args...)
	if err != nil {
		text := ""
		if c, ok := c.(*Client); ok {
			text = c.told()
		}
		t.Fatalf("siotest: call of %q: %v%s", name, err, text)
	}
	return got
}
