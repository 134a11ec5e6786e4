package event_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/socketio/event"
)

// recorder is an Emitter and a Caller that remembers and fails on demand.
type recorder struct {
	name  string
	args  []any
	reply any
	err   error
}

func (r *recorder) Emit(name string, args ...any) error {
	r.name, r.args = name, args
	return r.err
}

func (r *recorder) Call(_ context.Context, name string, reply any, args ...any) error {
	r.name, r.args, r.reply = name, args, reply
	return r.err
}

type pair struct {
	event.Args
	Name   string
	hidden int
	Data   []byte
}

// hidden has fields behind its Rest that are no arguments.
type hidden struct {
	Rest event.Rest
	n    int
	_    struct{}
	event.Args
}

type command struct {
	event.Args
	Name string
	event.Rest
}

func TestSplit(t *testing.T) {
	var nilPair *pair
	for _, c := range []struct {
		in   any
		want []any
	}{
		{"a", []any{"a"}},
		{nil, []any{nil}},
		{struct{ A int }{1}, []any{struct{ A int }{1}}},
		{pair{Name: "n", hidden: 1, Data: []byte{1}}, []any{"n", []byte{1}}},
		{&pair{Name: "n"}, []any{"n", []byte(nil)}},
		{nilPair, []any{nilPair}},
		{event.None{}, []any{}},
		{event.Rest{"a", 1}, []any{"a", 1}},
		{event.Rest(nil), []any(nil)},
		{command{Name: "n", Rest: event.Rest{1, 2}}, []any{"n", 1, 2}},
		{command{Name: "n"}, []any{"n"}},
		{hidden{Rest: event.Rest{1, 2}, n: 3}, []any{1, 2}},
		{struct {
			event.Args
			Any any
		}{Any: event.Rest{1, 2}}, []any{event.Rest{1, 2}}},
		{&command{Rest: event.Rest{1}}, []any{"", 1}},
		{struct {
			event.Args
			List event.Rest
			Last int
		}{List: event.Rest{1}, Last: 2}, []any{event.Rest{1}, 2}},
		{event.Args{}, []any{}},
	} {
		if got := event.Split(c.in); !reflect.DeepEqual(got, c.want) {
			t.Errorf("Split(%#v) = %#v, want %#v", c.in, got, c.want)
		}
	}
}

func TestTargets(t *testing.T) {
	var p pair
	if got := event.Targets(&p); len(got) != 2 || got[0] != &p.Name || got[1] != &p.Data {
		t.Errorf("targets of a struct with Args: %v", got)
	}
	var pp *pair
	if got := event.Targets(&pp); len(got) != 2 || pp == nil || got[0] != &pp.Name {
		t.Errorf("targets of a pointer to such a struct: %v", got)
	}
	var c command
	if got := event.Targets(&c); len(got) != 2 || got[0] != &c.Name || got[1] != &c.Rest {
		t.Errorf("targets of a struct with a Rest: %v", got)
	}
	var r event.Rest
	if got := event.Targets(&r); len(got) != 1 || got[0] != &r {
		t.Errorf("targets of a Rest: %v", got)
	}
	var s string
	if got := event.Targets(&s); len(got) != 1 || got[0] != &s {
		t.Errorf("targets of a string: %v", got)
	}
	var ps *string
	if got := event.Targets(&ps); len(got) != 1 || got[0] != &ps || ps != nil {
		t.Errorf("targets of a pointer: %v", got)
	}
	var a any
	if got := event.Targets(&a); len(got) != 1 || got[0] != &a {
		t.Errorf("targets of an interface: %v", got)
	}
	if got := event.Targets(nil); len(got) != 0 {
		t.Errorf("targets of nil: %v", got)
	}
	if got := event.Targets(&event.None{}); len(got) != 0 {
		t.Errorf("targets of None: %v", got)
	}
}

func TestSplitTargetsRoundTrip(t *testing.T) {
	in := pair{Name: "n", Data: []byte{1, 2}}
	var out pair
	for i, target := range event.Targets(&out) {
		reflect.ValueOf(target).Elem().Set(reflect.ValueOf(event.Split(in)[i]))
	}
	if !reflect.DeepEqual(out, in) {
		t.Errorf("got %+v, want %+v", out, in)
	}
}

func TestErrorsPass(t *testing.T) {
	boom := errors.New("boom")
	r := &recorder{err: boom}
	if err := event.Message[int]("m").Emit(r, 1); err != boom {
		t.Errorf("Emit: %v", err)
	}
	if _, err := (event.Request[int, int]("r")).Call(t.Context(), r, 1); err != boom {
		t.Errorf("Call: %v", err)
	}
}

func TestCall(t *testing.T) {
	r := new(recorder)
	const q event.Request[pair, string] = "q"
	if _, err := q.Call(t.Context(), r, pair{Name: "n"}); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.reply.(*string); r.name != "q" || len(r.args) != 2 || !ok {
		t.Errorf("called %q with %v, reply %T", r.name, r.args, r.reply)
	}
	if q.Name() != "q" || event.Message[int]("m").Name() != "m" {
		t.Error("wrong name")
	}
}

func TestEmitAllocates(t *testing.T) {
	r := new(recorder)
	const m event.Message[string] = "m"
	v := "some text"
	if n := alloctest.PerRun(100, func() { _ = m.Emit(r, v) }); n > 2 {
		t.Errorf("%v allocations, want the argument and its list only", n)
	}
}
