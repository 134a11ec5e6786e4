package cluster

import (
	"reflect"
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/socketio/parser"
)

func recentMessage(from, room, args string) *Message {
	return &Message{
		Type: Broadcast, From: from, Target: adapters.Target{Rooms: []string{room}},
		Packet: &parser.Packet{Type: parser.Event, Namespace: "/", Args: parser.Args{JSON: []byte(args)}},
	}
}

// What is read by a shape is what is read in whole, in any order of messages.
func TestRecentReadsAsInWhole(t *testing.T) {
	args := []string{
		`["e"]`, `["e",1]`, `["e","room"]`, `["room"]`, `["e",{"a":[[1]],"b":"\"]}"}]`, `["disconnect"]`, `[1]`, `[]`,
		`["e",["room"]]`, `["e",["x"],"rooms",["room"]]`, `["x"]`,
	}
	for _, d := range []wire.Dialect{wire.JSON, wire.Notepack, wire.Msgpack} {
		var r Recent
		hits := 0
		for range 2 {
			for _, from := range []string{"n1", "n2", "n3"} {
				for _, room := range []string{"room", "x"} {
					for _, a := range args {
						msg := AppendEnvelope(nil, d, "/", recentMessage(from, room, a))
						if m, _ := r.Find(d, msg); m != nil {
							hits++
						}
						got, nsp, err := r.ParseEnvelope(d, msg)
						want, wantNsp, wantErr := ParseEnvelope(d, msg)
						if (err == nil) != (wantErr == nil) || nsp != wantNsp || !reflect.DeepEqual(got, want) {
							t.Fatalf("%v %q: %+v %q, %v, want %+v %q, %v", d, msg, got, nsp, err, want, wantNsp, wantErr)
						}
					}
				}
			}
		}
		if hits == 0 {
			t.Errorf("%v: nothing was known", d)
		}
	}
}

// Bytes that only begin and end like what is known are read in whole.
func TestRecentRefusesWhatIsNoArguments(t *testing.T) {
	var r Recent
	whole := func(args string) []byte {
		return []byte(`{"uid":"n1","nsp":"/","type":3,"data":{"packet":{"type":2,"data":` + args + `},"opts":{"rooms":["a"],"except":[],"flags":{}}}}`)
	}
	if _, _, err := r.ParseEnvelope(wire.JSON, whole(`["e",1]`)); err != nil {
		t.Fatal(err)
	}
	if m, _ := r.Find(wire.JSON, whole(`["e",2]`)); m == nil {
		t.Fatal("a broadcast of a known shape is not found")
	}
	for _, args := range []string{`["e"],"id":7,"x":[1]`, `["e"`, `"e"]`, `[]`, `[true]`, `["connect"]`, `["e"]]`, `[["e"]`, ``} {
		if m, _ := r.Find(wire.JSON, whole(args)); m != nil {
			t.Errorf("%s is found: %+v", args, m.Packet)
		}
	}
	var none *Recent
	if m, _ := none.Find(wire.JSON, whole(`["e",2]`)); m != nil {
		t.Error("nil knows something")
	}
}
