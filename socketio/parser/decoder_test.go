package parser

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"
)

func decodeText(t *testing.T, s string) (Packet, bool, error) {
	t.Helper()
	return Default().NewDecoder(Limits{}).Decode(false, []byte(s))
}

func TestDecodeText(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Packet
	}{
		{"0", Packet{Type: Connect, Namespace: "/"}},
		{`0{"token":"x"}`, Packet{Type: Connect, Namespace: "/", Args: Args{JSON: []byte(`{"token":"x"}`)}}},
		{"0/admin", Packet{Type: Connect, Namespace: "/admin"}},
		{"0/admin,", Packet{Type: Connect, Namespace: "/admin"}},
		{`0/admin?a=1,{}`, Packet{Type: Connect, Namespace: "/admin?a=1", Args: Args{JSON: []byte(`{}`)}}},
		{"0/,", Packet{Type: Connect, Namespace: "/"}},
		{"1", Packet{Type: Disconnect, Namespace: "/"}},
		{"1/admin,", Packet{Type: Disconnect, Namespace: "/admin"}},
		{`2["a"]`, Packet{Type: Event, Namespace: "/", Args: Args{JSON: []byte(`["a"]`)}}},
		{`2["a"]` + " \n", Packet{Type: Event, Namespace: "/", Args: Args{JSON: []byte(`["a"]`)}}},
		{`20["a"]`, Packet{Type: Event, Namespace: "/", HasID: true, Args: Args{JSON: []byte(`["a"]`)}}},
		{`2/x,12["a",{"b":[1]}]`, Packet{Type: Event, Namespace: "/x", ID: 12, HasID: true, Args: Args{JSON: []byte(`["a",{"b":[1]}]`)}}},
		{`29007199254740991["a"]`, Packet{Type: Event, Namespace: "/", ID: 1<<53 - 1, HasID: true, Args: Args{JSON: []byte(`["a"]`)}}},
		{`2[1,2]`, Packet{Type: Event, Namespace: "/", Args: Args{JSON: []byte(`[1,2]`)}}},
		{`2[-1.5e3]`, Packet{Type: Event, Namespace: "/", Args: Args{JSON: []byte(`[-1.5e3]`)}}},
		{`2["__proto__"]`, Packet{Type: Event, Namespace: "/", Args: Args{JSON: []byte(`["__proto__"]`)}}},
		{`2["error"]`, Packet{Type: Event, Namespace: "/", Args: Args{JSON: []byte(`["error"]`)}}},
		{`2["Connect"]`, Packet{Type: Event, Namespace: "/", Args: Args{JSON: []byte(`["Connect"]`)}}},
		{`2["a",{"_placeholder":true}]`, Packet{Type: Event, Namespace: "/", Args: Args{JSON: []byte(`["a",{"_placeholder":true}]`)}}},
		{`2["a",{"_placeholder":true,"num":7}]`, Packet{Type: Event, Namespace: "/", Args: Args{JSON: []byte(`["a",{"_placeholder":true,"num":7}]`)}}},
		{`35[]`, Packet{Type: Ack, Namespace: "/", ID: 5, HasID: true, Args: Args{JSON: []byte(`[]`)}}},
		{`3/x,0[null]`, Packet{Type: Ack, Namespace: "/x", HasID: true, Args: Args{JSON: []byte(`[null]`)}}},
		{`4{"message":"no"}`, Packet{Type: ConnectError, Namespace: "/", Args: Args{JSON: []byte(`{"message":"no"}`)}}},
		{`4/x,"no"`, Packet{Type: ConnectError, Namespace: "/x", Args: Args{JSON: []byte(`"no"`)}}},
		// an id is read where it means nothing: an auth that is a number looks like one
		{"05", Packet{Type: Connect, Namespace: "/"}},
		{"0012{}", Packet{Type: Connect, Namespace: "/", Args: Args{JSON: []byte(`{}`)}}},
		{"0/chat,100000000000000000000{}", Packet{Type: Connect, Namespace: "/chat", Args: Args{JSON: []byte(`{}`)}}},
		{"0\n", Packet{Type: Connect, Namespace: "/"}},
		{"0 1\t2 {}", Packet{Type: Connect, Namespace: "/", Args: Args{JSON: []byte(`{}`)}}},
		{"1\r\n", Packet{Type: Disconnect, Namespace: "/"}},
		{"15", Packet{Type: Disconnect, Namespace: "/"}},
		{"1/x,5", Packet{Type: Disconnect, Namespace: "/x"}},
		{`47"no"`, Packet{Type: ConnectError, Namespace: "/", Args: Args{JSON: []byte(`"no"`)}}},
		{"2/é,[\"€\u2028\"]", Packet{Type: Event, Namespace: "/é", Args: Args{JSON: []byte("[\"€\u2028\"]")}}},
	} {
		got, ok, err := decodeText(t, c.in)
		if err != nil || !ok || !samePacket(got, c.want) {
			t.Errorf("%s: got %+v, %v, %v", c.in, got, ok, err)
		}
	}
}

// The official server takes no notice of these, once it knows the namespace: so
// they are handed on.
func TestDecodeMeaningless(t *testing.T) {
	for _, in := range []string{"2", "20", "2/x,", "2/x", "2/x,7", "3", "30", "3[1]", "3/x,[1]"} {
		d := Default().NewDecoder(Limits{})
		p, ok, err := d.Decode(false, []byte(in))
		if !ok || err != nil || p.JSON != nil && (p.Type != Ack || p.HasID) {
			t.Errorf("%s: %+v, ok %v, error %v", in, p, ok, err)
		}
		if _, ok, err := d.Decode(false, []byte(`2["a"]`)); !ok || err != nil {
			t.Errorf("an event behind %s: ok %v, error %v", in, ok, err)
		}
	}
	d := Default().NewDecoder(Limits{})
	if _, ok, err := d.Decode(false, []byte(`61-[{"_placeholder":true,"num":0}]`)); ok || err != nil {
		t.Fatalf("binary ack without id: %v, %v", ok, err)
	}
	if p, ok, err := d.Decode(true, []byte("x")); !ok || p.HasID || err != nil {
		t.Errorf("attachment of an ack without id: %+v, %v, %v", p, ok, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	deep := strings.Repeat("[", 1e6)
	for _, c := range []struct{ in, reason string }{
		{"", "empty packet"},
		{"7", "unknown packet type"}, {"9[]", "unknown packet type"}, {"a", "unknown packet type"},
		{" 2[]", "unknown packet type"}, {"\x002", "unknown packet type"}, {"é", "unknown packet type"},
		// JSON
		{"2abc[..]", "invalid payload"}, {`2{"a":1}`, "invalid payload"}, {`2"a"`, "invalid payload"}, {"2null", "invalid payload"},
		{`2["a"`, "invalid JSON"}, {`2["a"]]`, "invalid JSON"}, {`2["a",]`, "invalid JSON"}, {`2["a" 1]`, "invalid JSON"},
		{`2["a",01]`, "invalid JSON"}, {`2["a",+1]`, "invalid JSON"}, {`2["a",.5]`, "invalid JSON"}, {`2["a",1.]`, "invalid JSON"},
		{`2["a",NaN]`, "invalid JSON"}, {`2["a",tru]`, "invalid JSON"}, {`2["a",'b']`, "invalid JSON"}, {"2[\"a\n\"]", "invalid JSON"},
		{`2["a",{"b"}]`, "invalid JSON"}, {`2["a",{b:1}]`, "invalid JSON"}, {`2["a",{"b":1,}]`, "invalid JSON"}, {`2["a",{"b":1]]`, "invalid JSON"},
		{`2["a","\x"]`, "invalid JSON"}, {`2["a","\u12g4"]`, "invalid JSON"}, {`2["a]`, "invalid JSON"}, {`2[`, "invalid JSON"}, {`2["a"}`, "invalid JSON"},
		{"2[\"a\",\ufeff1]", "invalid JSON"}, {`2["a"]x`, "invalid JSON"}, {`2["a",1e]`, "invalid JSON"}, {`2["a",-]`, "invalid JSON"},
		{`2["` + "\xff" + `"]`, "invalid UTF-8"}, {"2/\xff,[\"a\"]", "invalid UTF-8"}, {"2[\"\xed\xa0\x80\"]", "invalid UTF-8"},
		{`2["a",` + deep, "JSON nested too deeply"}, {"30" + deep, "JSON nested too deeply"},
		{`2["a",` + strings.Repeat(`{"a":`, 1e5), "JSON nested too deeply"},
		// names
		{"2[]", "illegal event name"}, {"2[null]", "illegal event name"}, {"2[true]", "illegal event name"}, {`2[{"toString":1}]`, "illegal event name"}, {`2[["a"]]`, "illegal event name"},
		{`2["connect"]`, "reserved event name"}, {`2["connect_error"]`, "reserved event name"}, {`2["disconnect"]`, "reserved event name"},
		{`2["disconnecting"]`, "reserved event name"}, {`2["newListener"]`, "reserved event name"}, {`2["removeListener"]`, "reserved event name"},
		{`2["\u0063onnect"]`, "reserved event name"}, {`51-["disconnect",{"_placeholder":true,"num":0}]`, "reserved event name"},
		// payloads
		{"0[]", "invalid payload"}, {`0"a"`, "invalid payload"}, {"0null", "invalid payload"}, {"0{", "invalid JSON"},
		{"1{}", "invalid payload"}, {"1[]", "invalid payload"}, {"4[]", "invalid payload"}, {"4null", "invalid payload"}, {`30{}`, "invalid payload"}, {`30"a"`, "invalid payload"},
		// ids
		{`2-1["a"]`, "invalid payload"}, {`21.5["a"]`, "invalid payload"}, {`2 ["a"]`, "invalid payload"}, {`2 1["a"]`, "invalid payload"}, {`20x1["a"]`, "invalid payload"}, {`21e3["a"]`, "invalid payload"},
		{`2+1["a"]`, "invalid payload"}, {`21 ["a"]`, "invalid payload"}, {`207["a"]`, "illegal ack id"}, {`200["a"]`, "illegal ack id"},
		{`29007199254740992["a"]`, "illegal ack id"}, {`299999999999999999999999["a"]`, "illegal ack id"},
		{"01.5", "invalid payload"}, {"01e3", "invalid payload"}, {"0-1", "invalid payload"}, {"15{}", "invalid payload"}, {"47[]", "invalid payload"},
		// attachment counts
		{`5["a"]`, "illegal attachment count"}, {`5-["a"]`, "illegal attachment count"}, {`50-["a"]`, "illegal attachment count"}, {`5-1-["a"]`, "illegal attachment count"}, {`51.5-["a"]`, "illegal attachment count"},
		{`51e1-["a"]`, "illegal attachment count"}, {`50x1-["a"]`, "illegal attachment count"}, {`5 1-["a"]`, "illegal attachment count"}, {`51 -["a"]`, "illegal attachment count"}, {`5+1-["a"]`, "illegal attachment count"},
		{`501-["a"]`, "illegal attachment count"}, {"5", "illegal attachment count"}, {"51", "illegal attachment count"}, {`6-[1]`, "illegal attachment count"},
		{`511-["a"]`, "too many attachments"}, {`599999999999999999999999-["a"]`, "too many attachments"}, {`5Infinity-["a"]`, "illegal attachment count"},
		{"51-", "binary packet without payload"}, {"51-/x,3", "binary packet without payload"},
		// placeholders
		{`51-["a",{"_placeholder":true,"num":1}]`, "illegal placeholder"}, {`51-["a",{"_placeholder":true,"num":-1}]`, "illegal placeholder"},
		{`51-["a",{"_placeholder":true,"num":0.5}]`, "illegal placeholder"}, {`51-["a",{"_placeholder":true,"num":1e0}]`, "illegal placeholder"}, {`51-["a",{"_placeholder":true,"num":-0}]`, "illegal placeholder"},
		{`51-["a",{"_placeholder":true,"num":"splice"}]`, "illegal placeholder"}, {`51-["a",{"_placeholder":true,"num":"0"}]`, "illegal placeholder"}, {`51-["a",{"_placeholder":true,"num":"__proto__"}]`, "illegal placeholder"},
		{`51-["a",{"_placeholder":true}]`, "illegal placeholder"}, {`51-["a",{"_placeholder":true,"num":null}]`, "illegal placeholder"}, {`51-["a",{"_placeholder":true,"num":[0]}]`, "illegal placeholder"},
		{`51-["a",{"\u005fplaceholder":true,"num":9}]`, "illegal placeholder"},
	} {
		_, ok, err := decodeText(t, c.in)
		var e *Error
		if ok || !errors.As(err, &e) {
			t.Errorf("%.40q: ok %v, error %v", c.in, ok, err)
		} else if e.Reason != c.reason {
			t.Errorf("%.40q: reason %q, want %q", c.in, e.Reason, c.reason)
		}
	}
}

func TestDecodeBinary(t *testing.T) {
	type blobs = []string
	for _, c := range []struct {
		header string
		in     blobs
		want   Packet
	}{
		{`51-["a",{"_placeholder":true,"num":0}]`, blobs{"x"},
			Packet{Type: Event, Namespace: "/", Args: Args{[]byte(`["a",{"_placeholder":true,"num":0}]`), [][]byte{[]byte("x")}}}},
		{`52-/n,7["a",{"b":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]`, blobs{"x", ""},
			Packet{Type: Event, Namespace: "/n", ID: 7, HasID: true, Args: Args{[]byte(`["a",{"b":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]`), [][]byte{[]byte("x"), {}}}}},
		{`61-/n,0[{"_placeholder":true,"num":0}]`, blobs{"x"},
			Packet{Type: Ack, Namespace: "/n", HasID: true, Args: Args{[]byte(`[{"_placeholder":true,"num":0}]`), [][]byte{[]byte("x")}}}},
		// One referred to twice, one not at all, the order changed.
		{`53-["a",{"_placeholder":true,"num":2},{"_placeholder":true,"num":0},{"_placeholder":true,"num":2}]`, blobs{"x", "y", "z"},
			Packet{Type: Event, Namespace: "/", Args: Args{[]byte(`["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]`), [][]byte{[]byte("z"), []byte("x")}}}},
		{`52-["a"]`, blobs{"x", "y"}, Packet{Type: Event, Namespace: "/", Args: Args{[]byte(`["a"]`), nil}}},
		// Other ways to write a placeholder; what only looks like one is data.
		{`51-["a", { "num" : 0 , "x": [{}], "_placeholder" : true } ]`, blobs{"x"},
			Packet{Type: Event, Namespace: "/", Args: Args{[]byte(`["a",{"_placeholder":true,"num":0}]`), [][]byte{[]byte("x")}}}},
		{`51-["a",{"\u005fplaceholder":true,"n\u0075m":0}]`, blobs{"x"},
			Packet{Type: Event, Namespace: "/", Args: Args{[]byte(`["a",{"_placeholder":true,"num":0}]`), [][]byte{[]byte("x")}}}},
		{`51-["a",{"_placeholder":1,"num":0},{"_placeholder":"true","num":5},{"_placeholder":false},{"_placeholder":true,"_placeholder":null,"num":3}]`, blobs{"x"},
			Packet{Type: Event, Namespace: "/", Args: Args{[]byte(`["a",{"_placeholder":1,"num":0},{"_placeholder":"true","num":5},{"_placeholder":false},{"_placeholder":true,"_placeholder":null,"num":3}]`), nil}}},
		{`52-["a",{"_placeholder":true,"num":1,"in":{"_placeholder":true,"num":0}}]`, blobs{"x", "y"},
			Packet{Type: Event, Namespace: "/", Args: Args{[]byte(`["a",{"_placeholder":true,"num":0}]`), [][]byte{[]byte("y")}}}},
	} {
		d := Default().NewDecoder(Limits{})
		got, ok, err := d.Decode(false, []byte(c.header))
		for i, b := range c.in {
			if ok || err != nil {
				t.Fatalf("%s: before attachment %d: %v, %v", c.header, i, ok, err)
			}
			data := []byte(b)
			got, ok, err = d.Decode(true, data)
			clear(data) // the decoder must not alias it
		}
		if err != nil || !ok || !samePacket(got, c.want) {
			t.Errorf("%s: got %s %q, %v, %v", c.header, got.JSON, got.Attachments, ok, err)
		}
		if _, ok, err := d.Decode(false, []byte(`2["next"]`)); !ok || err != nil {
			t.Errorf("%s: next packet: %v, %v", c.header, ok, err)
		}
	}
}

func TestDecodeSequence(t *testing.T) {
	d := Default().NewDecoder(Limits{})
	wantReason(t, d, true, "x", "binary data without a packet it belongs to")

	d = Default().NewDecoder(Limits{})
	if _, ok, err := d.Decode(false, []byte(`51-["a",{"_placeholder":true,"num":0}]`)); ok || err != nil {
		t.Fatal(ok, err)
	}
	wantReason(t, d, false, `2["b"]`, "text while attachments are due")
	wantReason(t, d, true, "x", "binary data without a packet it belongs to")
}

func wantReason(t *testing.T, d Decoder, binary bool, in, reason string) {
	t.Helper()
	_, ok, err := d.Decode(binary, []byte(in))
	var e *Error
	if ok || !errors.As(err, &e) || e.Reason != reason {
		t.Errorf("%s: %v, %v; want %s", in, ok, err, reason)
	}
}

func TestAttachmentLimit(t *testing.T) {
	for _, c := range []struct{ limit, allowed int }{{0, 10}, {1, 1}, {25, 25}, {-1, 0}} {
		for _, n := range []int{c.allowed, c.allowed + 1} {
			d := Default().NewDecoder(Limits{Attachments: c.limit})
			_, _, err := d.Decode(false, []byte("5"+strconv.Itoa(n)+`-["a"]`))
			if wantErr := n > c.allowed || n == 0; (err != nil) != wantErr {
				t.Errorf("limit %d: %d attachments: %v", c.limit, n, err)
			}
		}
	}
}

// A binary packet waits for its attachments, so nothing of it may alias what
// the connection will read next.
func TestHeldPacketIsCopied(t *testing.T) {
	d := Default().NewDecoder(Limits{})
	data := []byte(`51-/room,["a",{"_placeholder":true,"num":0}]`)
	if _, _, err := d.Decode(false, data); err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i] = '!'
	}
	p, ok, err := d.Decode(true, []byte("x"))
	if err != nil || !ok || p.Namespace != "/room" || string(p.JSON) != `["a",{"_placeholder":true,"num":0}]` {
		t.Errorf("got %s %s, %v, %v", p.Namespace, p.JSON, ok, err)
	}
}

// A peer that uses more namespaces than are remembered must still be understood.
func TestManyNamespaces(t *testing.T) {
	d := Default().NewDecoder(Limits{})
	for i := range 100 {
		want := "/n" + strconv.Itoa(i%7)
		p, ok, err := d.Decode(false, []byte("2"+want+`,["a"]`))
		if err != nil || !ok || p.Namespace != want {
			t.Fatalf("got %q, %v, %v; want %q", p.Namespace, ok, err, want)
		}
	}
}

func TestDeepestNesting(t *testing.T) {
	nested := func(n int) string { return `2["a",` + strings.Repeat("[", n) + strings.Repeat("]", n) + "]" }
	if _, ok, err := decodeText(t, nested(maxDepth-1)); !ok || err != nil {
		t.Errorf("at the limit: %v, %v", ok, err)
	}
	if _, _, err := decodeText(t, nested(maxDepth)); err == nil {
		t.Error("beyond the limit: no error")
	}
}

func samePacket(a, b Packet) bool {
	same := a.Type == b.Type && a.Namespace == b.Namespace && a.ID == b.ID && a.HasID == b.HasID &&
		bytes.Equal(a.JSON, b.JSON) && len(a.Attachments) == len(b.Attachments)
	for i := range min(len(a.Attachments), len(b.Attachments)) {
		same = same && bytes.Equal(a.Attachments[i], b.Attachments[i])
	}
	return same
}
