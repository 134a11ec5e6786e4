package cluster

import (
	"reflect"
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/internal/bufpool"
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
						want, wantNsp, wantErr := ParseEnvelope(d, msg)
						if l := r.Lend(d, msg); l != nil {
							hits++
							if wantErr != nil || l.Namespace != wantNsp || !reflect.DeepEqual(&l.Message, want) {
								t.Fatalf("%v %q: lent %+v %q, want %+v %q, %v", d, msg, l.Message, l.Namespace, want, wantNsp, wantErr)
							}
							l.Done()
						}
						got, nsp, err := r.ParseEnvelope(d, msg)
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
	if l := r.Lend(wire.JSON, whole(`["e",2]`)); l == nil {
		t.Fatal("a broadcast of a known shape is not found")
	}
	for _, args := range []string{`["e"],"id":7,"x":[1]`, `["e"`, `"e"]`, `[]`, `[true]`, `["connect"]`, `["e"]]`, `[["e"]`, ``} {
		if l := r.Lend(wire.JSON, whole(args)); l != nil {
			t.Errorf("%s is found: %+v", args, l.Message.Packet)
		}
	}
	var none *Recent
	if l := none.Lend(wire.JSON, whole(`["e",2]`)); l != nil {
		t.Error("nil knows something")
	}
}

// FuzzRecent: what is lent is what is read in whole; what is malformed is not lent.
func FuzzRecent(f *testing.F) {
	for _, args := range []string{`["e",1]`, `["e"],"id":7,"x":[1]`, `["e",{"a":"\xff"}]`, "[\"\xff\"]", "\x92\xa1e\x01", "\x92\xa1e\x81\xd4\x00\x00\x01"} {
		f.Add([]byte(args))
	}
	f.Fuzz(func(t *testing.T, args []byte) {
		for _, d := range []wire.Dialect{wire.JSON, wire.Notepack, wire.Msgpack} {
			var r Recent
			known := AppendEnvelope(nil, d, "/", recentMessage("n1", "room", `["known",1]`))
			if _, _, err := r.ParseEnvelope(d, known); err != nil {
				t.Fatal(err)
			}
			s := &r.shapes[0]
			msg := append(append(append([]byte(nil), s.before...), args...), s.after...)
			l := r.Lend(d, msg)
			if l == nil {
				continue
			}
			want, nsp, err := ParseEnvelope(d, msg)
			if err != nil || nsp != l.Namespace || !reflect.DeepEqual(&l.Message, want) {
				t.Errorf("%v %q: lent %+v, in whole %+v, %v", d, msg, l.Message.Packet, want, err)
			}
		}
	})
}

// What was lent is not valid any more when it was given back, but attachments are.
func TestLoanIsUsedAgain(t *testing.T) {
	var r Recent
	m := recentMessage("n1", "room", `["e",{"_placeholder":true,"num":0}]`)
	m.Packet.Attachments = [][]byte{[]byte("data")}
	msg := AppendEnvelope(nil, wire.Notepack, "/", m)
	if _, _, err := r.ParseEnvelope(wire.Notepack, msg); err != nil {
		t.Fatal(err)
	}
	l := r.Lend(wire.Notepack, msg)
	if l == nil || len(l.Message.Packet.Attachments) != 1 {
		t.Fatalf("lent %+v", l)
	}
	kept, text := l.Message.Packet.Attachments, l.Message.Packet.JSON
	l.Done()
	if string(kept[0]) != "data" {
		t.Errorf("the attachment is %q", kept[0])
	}
	if bufpool.Poisoned && text[0] != bufpool.Poison {
		t.Errorf("the text is still %q in a build that poisons", text)
	}
}

// What is lent before the adapter is ready is copied for it.
func TestAntechamberKeepsWhatIsLent(t *testing.T) {
	var got *Message
	c := &antechamber{next: receiverFunc(func(m *Message) { got = m })}
	lent, asked := recentMessage("n1", "room", `["e",1]`), recentMessage("n1", "room", `["e",2]`)
	asked.RequestID = "r"
	c.Receive(lent)
	copy(lent.Packet.JSON, "lost")
	lent.Packet = nil
	c.open()
	if got == nil || string(got.Packet.JSON) != `["e",1]` || got.Target.Rooms[0] != "room" {
		t.Errorf("received %+v", got)
	}
	if c.Receive(asked); got != asked {
		t.Errorf("received %+v", got)
	}
}

// receiverFunc is a Receiver.
type receiverFunc func(*Message)

func (f receiverFunc) Receive(m *Message) { f(m) }
func (receiverFunc) Gap(Gap)              {}
