package args_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/hermod-io/hermod/socketio/args"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/parser"
)

// made encodes the arguments of an event.
func made(t *testing.T, values ...any) args.Args {
	t.Helper()
	text, att, err := parser.AppendEvent(parser.DefaultJSON(), nil, nil, "name", values...)
	if err != nil {
		t.Fatal(err)
	}
	return args.New(parser.Args{JSON: text, Attachments: att}, parser.DefaultJSON(), 1)
}

func TestArgs(t *testing.T) {
	a := made(t, "x", 2, []byte{3})
	values, err := a.Values()
	if err != nil || a.Len() != 3 || string(a.Raw(1)) != "2" || a.Raw(3) != nil || a.Raw(-1) != nil {
		t.Errorf("%v %v", values, err)
	}
	if !reflect.DeepEqual(values, []any{"x", 2.0, []byte{3}}) {
		t.Errorf("values %v", values)
	}
	if name, ok := a.Encoded().EventName(); !ok || string(name) != "name" {
		t.Errorf("name %s", name)
	}
	var (
		text string
		n    int
		b    []byte
		more any
		bad  *args.ArgError
	)
	if err := a.Scan(&text, &n, &b); err != nil || text != "x" || n != 2 || len(b) != 1 {
		t.Errorf("%s %d %v %v", text, n, b, err)
	}
	if err := a.Scan(&text, &n, &b, &more); !errors.As(err, &bad) || bad.Index != 3 {
		t.Errorf("a missing argument: %v", err)
	}
	if err := a.Decode(0, &n); !errors.As(err, &bad) || bad.Index != 0 {
		t.Errorf("a wrong argument: %v", err)
	}
	if (args.Args{}).Len() != 0 {
		t.Error("the zero value has arguments")
	}
}

// Who appends to the text does not write behind it, where there may be room.
func TestEncodedIsClipped(t *testing.T) {
	text := append(make([]byte, 0, 8), "[1]"...)
	a := args.New(parser.Args{JSON: text}, parser.DefaultJSON(), 0)
	one, two := append(a.Encoded().JSON, '1'), append(a.Encoded().JSON, '2')
	if string(one) != "[1]1" || string(two) != "[1]2" || len(args.Memory(a)) != 8 {
		t.Errorf("%s, %s, %d bytes", one, two, len(args.Memory(a)))
	}
}

func TestDecoder(t *testing.T) {
	type pair struct {
		event.Args
		A string
		B int
	}
	if !args.Several[pair]() || !args.Several[*pair]() || args.Several[string]() {
		t.Error("Several is wrong")
	}
	p, err := args.NewDecoder[pair]().Decode(made(t, "x", 2, "surplus"))
	if err != nil || p.A != "x" || p.B != 2 {
		t.Errorf("%+v %v", p, err)
	}
	d := args.NewDecoder[int]()
	if _, err := d.Decode(made(t, "x")); err == nil {
		t.Error("a text is no number")
	}
	if n, err := d.Decode(made(t, 7)); err != nil || n != 7 {
		t.Errorf("%d %v", n, err)
	}
}

// The rest is all arguments behind the others, if these are right.
func TestRest(t *testing.T) {
	type command struct {
		event.Args
		Name string
		event.Rest
	}
	if !args.Several[event.Rest]() || !args.Several[command]() || !args.Several[*command]() || args.Several[[]any]() {
		t.Error("Several is wrong")
	}
	d, all := args.NewDecoder[command](), args.NewDecoder[event.Rest]()
	for _, c := range []struct {
		in   []any
		want event.Rest
	}{
		{[]any{"n", "x", 2, []byte{3}}, event.Rest{"x", 2.0, []byte{3}}},
		{[]any{"n", nil}, event.Rest{nil}},
		{[]any{"n"}, nil},
	} {
		for range 2 { // the second one decodes into what the first one did
			if got, err := d.Decode(made(t, c.in...)); err != nil || got.Name != "n" || !reflect.DeepEqual(got.Rest, c.want) {
				t.Errorf("%v: %+v, %v", c.in, got, err)
			}
			if got, err := all.Decode(made(t, c.in...)); err != nil || !reflect.DeepEqual(got, append(event.Rest{"n"}, c.want...)) {
				t.Errorf("all of %v: %v, %v", c.in, got, err)
			}
		}
	}
	if p, err := args.NewDecoder[*command]().Decode(made(t, "n", "x")); err != nil || p.Name != "n" || !reflect.DeepEqual(p.Rest, event.Rest{"x"}) {
		t.Errorf("%+v, %v", p, err)
	}
	if got, err := all.Decode(made(t)); err != nil || got != nil {
		t.Errorf("no arguments: %#v, %v", got, err)
	}
	var bad *args.ArgError
	if _, err := d.Decode(made(t)); !errors.As(err, &bad) || bad.Index != 0 {
		t.Errorf("a missing argument: %v", err)
	}
	if _, err := d.Decode(made(t, 1, "x")); !errors.As(err, &bad) || bad.Index != 0 {
		t.Errorf("a wrong argument: %v", err)
	}
	rest := event.Rest{"as it was"}
	if err := made(t, "x").Scan(new(int), &rest); err == nil || len(rest) != 1 {
		t.Errorf("Scan: %v, %v", rest, err)
	}
	type lists struct {
		event.Args
		One, All event.Rest
	}
	if got, err := args.NewDecoder[lists]().Decode(made(t, []any{"a", 2}, "b", 3)); err != nil || !reflect.DeepEqual(got, lists{One: event.Rest{"a", 2.0}, All: event.Rest{"b", 3.0}}) {
		t.Errorf("only the last is the rest: %+v, %v", got, err)
	}
	for _, v := range []event.Rest{nil, {1, "x"}} {
		if got := args.Split(&v); !reflect.DeepEqual(got, []any(v)) {
			t.Errorf("Split: %v", got)
		}
	}
	if got := args.Split(&command{Name: "n", Rest: event.Rest{1}}); !reflect.DeepEqual(got, []any{"n", 1}) {
		t.Errorf("Split: %v", got)
	}
}

// An argument among the rest that cannot be decoded is told by its place among all.
func TestRestRefused(t *testing.T) {
	type command struct {
		event.Args
		Name string
		event.Rest
	}
	d, all := args.NewDecoder[command](), args.NewDecoder[event.Rest]()
	var bad *args.ArgError
	tooLarge := args.New(parser.Args{JSON: []byte(`["name","n","x",1e999]`)}, parser.DefaultJSON(), 1)
	for _, decode := range []func(args.Args) (any, error){
		func(a args.Args) (any, error) { return d.Decode(a) },
		func(a args.Args) (any, error) { return all.Decode(a) },
		func(a args.Args) (any, error) { return all.Func()(&a) },
		func(a args.Args) (any, error) { return a.Values() },
	} {
		if got, err := decode(tooLarge); !errors.As(err, &bad) || bad.Index != 2 {
			t.Errorf("the third argument is no float64: %v, %v", got, err)
		}
	}
}

func TestErrorAck(t *testing.T) {
	for want, err := range map[string]error{
		`{"error":{"code":"c","message":"m 1"}}`:                           args.Errorf("c", "m %d", 1),
		`{"error":{"code":"c","message":"m","retry":5}}`:                   &args.Error{Code: "c", Message: "m", More: map[string]any{"retry": 5, "code": "not this", "data": 1}},
		`{"error":{"code":"","message":"m","data":[1]}}`:                   &args.Error{Message: "m", Data: []int{1}},
		`{"error":{"code":"internal","message":"internal error"}}`:         errors.New("secret"),
		`{"error":{"code":"bad_request","message":"argument 2: invalid"}}`: &args.ArgError{Index: 2, Err: errors.New("secret")},
		`{"error":{"code":"bad_request","message":"argument 0: missing"}}`: (args.Args{}).Decode(0, new(int)),
	} {
		text, _, encodeErr := parser.DefaultJSON().Append(nil, nil, args.ErrorAck(err))
		if encodeErr != nil || string(text) != want {
			t.Errorf("%v: got %s, want %s", err, text, want)
		}
	}
	if !errors.Is(args.Reserved("connect"), args.ErrReserved) {
		t.Error("Reserved is not ErrReserved")
	}
}

func TestErrorOf(t *testing.T) {
	for text, want := range map[string]string{
		`[{"error":{"code":"c","message":"m"}}]`:               "socketio: c: m",
		`[ { "error" : { "message" : "m" , "code" : "c" } } ]`: "socketio: c: m",
		`[{"error":{"code":"c","message":"m","data":[1]}}]`:    "socketio: c: m [1]",
		`[{"error":{"code":"c","message":"m"},"x":1}]`:         "",
		`[{"error":{"code":"c","message":"m"}},1]`:             "",
		`[{"error":{"code":"c"}}]`:                             "",
		`[{"error":{"Code":"c","Message":"m"}}]`:               "",
		`[{"error":{"code":1,"message":"m"}}]`:                 "",
		`[{"error":{"code":"c","message":null}}]`:              "",
		`[{"error":[]}]`: "",
		`[{"errors":{"code":"c","message":"m"}}]`: "",
		`["error"]`: "",
		`[]`:        "",
	} {
		got := ""
		if e := args.ErrorOf(args.New(parser.Args{JSON: []byte(text)}, parser.DefaultJSON(), 0)); e != nil {
			got = e.Error()
			if e.Data != nil {
				got += " " + string(e.Data.(json.RawMessage))
			}
		}
		if got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}

// The data of an error may have binary values, which come beside the text.
func TestErrorOfWithBinaryData(t *testing.T) {
	p, err := parser.DefaultJSON(), error(nil)
	var in parser.Args
	in.JSON, in.Attachments, err = p.Append(nil, nil, []any{args.ErrorAck(&args.Error{Code: "c", Message: "m", Data: map[string]any{"raw": []byte{1, 2}, "n": 3}})})
	if err != nil {
		t.Fatal(err)
	}
	e := args.ErrorOf(args.New(in, p, 0))
	if want := (&args.Error{Code: "c", Message: "m", Data: map[string]any{"raw": []byte{1, 2}, "n": 3.0}}); !reflect.DeepEqual(e, want) {
		t.Errorf("%#v, want %#v", e, want)
	}
	in.Attachments = [][]byte{{1}} // beside text that knows nothing of it
	in.JSON = []byte(`[{"error":{"code":"c","message":"m"}}]`)
	if e := args.ErrorOf(args.New(in, p, 0)); e == nil || e.Data != nil {
		t.Errorf("%#v", e)
	}
}

// An error of somebody else's server may say more, which a handler that returns it
// passes on.
func TestErrorOfWithMore(t *testing.T) {
	const ack = `{"error":{"code":"c","data":[1],"message":"m","retry":5,"why":{"a":null}}}`
	codec := parser.DefaultJSON()
	e := args.ErrorOf(args.New(parser.Args{JSON: []byte("[" + ack + "]")}, codec, 0))
	want := &args.Error{Code: "c", Message: "m", Data: json.RawMessage(`[1]`), More: map[string]any{"retry": json.RawMessage(`5`), "why": json.RawMessage(`{"a":null}`)}}
	if !reflect.DeepEqual(e, want) {
		t.Fatalf("%#v, want %#v", e, want)
	}
	if text, _, err := codec.Append(nil, nil, args.ErrorAck(e)); err != nil || string(text) != ack {
		t.Errorf("passed on as %s, %v", text, err)
	}
	in := parser.Args{JSON: []byte(`[{"error":{"code":"c","message":"m","raw":{"_placeholder":true,"num":0}}}]`), Attachments: [][]byte{{7}}}
	if e := args.ErrorOf(args.New(in, codec, 0)); e == nil || !reflect.DeepEqual(e.More, map[string]any{"raw": []byte{7}}) {
		t.Errorf("%#v", e)
	}
}

func TestAckErrorText(t *testing.T) {
	for want, e := range map[string]*args.AckError{
		"socketio: 1 answer missing: context deadline exceeded": {Missing: 1, Err: context.DeadlineExceeded},
		"socketio: 3 answers missing, 1 node silent: lost":      {Missing: 3, Nodes: 1, Err: errors.New("lost")},
		"socketio: 1 answer missing, 2 nodes silent: lost":      {Missing: 1, Nodes: 2, Err: errors.New("lost")},
	} {
		if got := e.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
