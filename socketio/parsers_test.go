package socketio_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/parser"
)

// packed is a packet as MessagePack, as the peer of the harness sends it.
func packed(p parser.Packet) string {
	msg, _, _ := parser.MsgPack().AppendPacket([]byte("b"), &p)
	return string(msg)
}

func packedEvent(id int, args ...any) string {
	text, att, err := parser.AppendEvent(parser.DefaultJSON(), nil, nil, args[0].(string), args[1:]...)
	if err != nil {
		panic(err)
	}
	p := parser.Packet{Type: parser.Event, Namespace: "/", Args: parser.Args{JSON: text, Attachments: att}}
	if id >= 0 {
		p.ID, p.HasID = uint64(id), true
	}
	return packed(p)
}

// unpacked is the next packet that the peer gets.
func unpacked(p *peer, why string) parser.Packet {
	p.r.Helper()
	m := p.wantMatch("(?s)^b", why)
	got, ok, err := parser.MsgPack().NewDecoder(parser.Limits{}).Decode(true, []byte(m[1:]))
	if !ok || err != nil {
		p.r.Fatalf("%q: %v, %v", m, ok, err)
	}
	return got
}

func joinPacked(r *rig) *peer {
	p := r.open()
	p.send(packed(parser.Packet{Type: parser.Connect, Namespace: "/"}))
	var reply struct{ SID string }
	got := unpacked(p, "the reply to CONNECT")
	if err := json.Unmarshal(got.JSON, &reply); got.Type != parser.Connect || err != nil || reply.SID == "" {
		r.Fatalf("reply %+v, %v", got, err)
	}
	p.sid = reply.SID
	return p
}

// With msgpack each packet is one binary message: events, acks and broadcasts,
// whose bytes are made once for all.
//
// compat: option parser
// compat: parser msgpack
func TestMsgpack(t *testing.T) {
	cfg := socketio.Config{Parser: parser.MsgPack()}
	run(t, cfg, func(r *rig) {
		type part struct {
			Name string `json:"name"`
			Data []byte `json:"data"`
		}
		r.srv.On("put", socketio.Reply(func(ctx context.Context, s *socketio.Socket, in struct {
			event.Args
			Part part
			Raw  []byte
		}) (any, error) {
			if err := s.Broadcast().Emit("news", in.Part, in.Raw); err != nil {
				return nil, err
			}
			return []any{in.Part.Data, len(in.Raw)}, nil
		}))
		ada, bob, cyd := joinPacked(r), joinPacked(r), joinPacked(r)
		ada.send(packedEvent(0, "put", part{"a", []byte("one")}, []byte("two")))
		got := unpacked(ada, "the ack")
		if got.Type != parser.Ack || !got.HasID || got.ID != 0 || string(got.JSON) != `[[{"_placeholder":true,"num":0},3]]` || string(got.Attachments[0]) != "one" {
			t.Errorf("ack %+v %s", got, got.JSON)
		}
		const want = `["news",{"name":"a","data":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]`
		for _, p := range []*peer{bob, cyd} {
			got := unpacked(p, "the broadcast")
			if string(got.JSON) != want || len(got.Attachments) != 2 || string(got.Attachments[0]) != "one" || string(got.Attachments[1]) != "two" {
				t.Errorf("broadcast %+v %s", got, got.JSON)
			}
		}
		bob.send("42[\"text\"]")
		bob.wantClosed("text is not MessagePack")
		cyd.send("b\x81")
		cyd.wantClosed("a map that ends early")
	})
}

// flipped is a parser of nobody else: the JSON text of an envelope, back to
// front. It shows what a parser has to do.
type flipped struct{}

type envelope struct {
	T parser.Type
	N string
	I *uint64         `json:",omitempty"`
	A json.RawMessage `json:",omitempty"`
	B [][]byte        `json:",omitempty"`
}

// AppendPacket appends to dst, whose memory the caller uses again, and keeps
// nothing of p. Binary values are in the envelope, so no message follows.
func (flipped) AppendPacket(dst []byte, p *parser.Packet) ([]byte, bool, [][]byte) {
	e := envelope{T: p.Type, N: p.Namespace, A: p.JSON, B: p.Attachments}
	if p.HasID {
		e.I = &p.ID
	}
	b, _ := json.Marshal(e)
	slices.Reverse(b)
	return append(dst, b...), false, nil
}

// NewDecoder returns the decoder of one connection; this one has no state.
func (flipped) NewDecoder(parser.Limits) parser.Decoder { return flipped{} }

// Decode does not change data, which it is only lent, and checks what comes from
// outside: what it returns is not checked again.
func (flipped) Decode(binary bool, data []byte) (parser.Packet, bool, error) {
	b := bytes.Clone(data)
	slices.Reverse(b)
	var e envelope
	if err := json.Unmarshal(b, &e); binary || err != nil {
		return parser.Packet{}, false, &parser.Error{Reason: "not an envelope"}
	}
	p := parser.Packet{Type: e.T, Namespace: e.N, Args: parser.Args{JSON: e.A, Attachments: e.B}}
	if e.I != nil {
		p.ID, p.HasID = *e.I, true
	}
	if name, ok := p.EventName(); p.Type == parser.Event && (!ok || parser.Reserved(string(name))) {
		return parser.Packet{}, false, &parser.Error{Reason: "illegal event name"}
	}
	return p, true, nil
}

func flip(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

// A parser of a user's own carries everything that the official ones do.
//
// compat: option parser
// compat: parser of one's own
func TestForeignParser(t *testing.T) {
	run(t, socketio.Config{Parser: flipped{}}, func(r *rig) {
		r.srv.On("say", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) error {
			var text string
			var data []byte
			if err := e.Scan(&text, &data); err != nil {
				return err
			}
			if err := r.srv.Emit("said", text, data); err != nil {
				return err
			}
			return e.Ack("done")
		})
		join := func() *peer {
			p := r.open()
			p.send("4" + flip(`{"T":0,"N":"/"}`))
			p.wantMatch(`^4\}\}"[^"]*":"dis"\{:"A","/":"N",0:"T"\{$`, "the reply to CONNECT")
			return p
		}
		ada, bob := join(), join()
		ada.send("4" + flip(`{"T":2,"N":"/","I":0,"A":["say","hi",{"_placeholder":true,"num":0}],"B":["AQI="]}`))
		const said = `{"T":2,"N":"/","A":["said","hi",{"_placeholder":true,"num":0}],"B":["AQI="]}`
		ada.want("4"+flip(said), "the broadcast")
		ada.want("4"+flip(`{"T":3,"N":"/","I":0,"A":["done"]}`), "the ack")
		bob.want("4"+flip(said), "the broadcast")
		bob.send("4nonsense")
		bob.wantClosed("a broken packet")
	})
}

// A parser of one's own, set at both ends.
func ExampleConfig_parser() {
	srv, err := socketio.New(socketio.Config{Parser: flipped{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	srv.On("hello", socketio.Receive(func(ctx context.Context, s *socketio.Socket, name string) error {
		return s.Emit("welcome", name)
	}))
	p := parser.Packet{Type: parser.Event, Namespace: "/", Args: parser.Args{JSON: []byte(`["hello","Ada"]`)}}
	msg, _, _ := flipped{}.AppendPacket(nil, &p)
	fmt.Println(string(msg))
	// Output:
	// }]"adA","olleh"[:"A","/":"N",2:"T"{
}

// stdCodec is a codec over encoding/json. Binary values are taken as arguments
// of their own alone.
type stdCodec struct{}

func (stdCodec) Append(dst []byte, att [][]byte, v any) ([]byte, [][]byte, error) {
	if b, ok := v.([]byte); ok {
		return fmt.Appendf(dst, `{"_placeholder":true,"num":%d}`, len(att)), append(att, b), nil
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return dst, att, err
	}
	return append(dst, bytes.TrimSpace(buf.Bytes())...), att, nil
}

func (stdCodec) Decode(raw []byte, att [][]byte, v any) error {
	if b, ok := v.(*[]byte); ok {
		var n struct{ Num int }
		if err := json.Unmarshal(raw, &n); err != nil || n.Num < 0 || n.Num >= len(att) {
			return fmt.Errorf("no binary value: %s", raw)
		}
		*b = att[n.Num]
		return nil
	}
	return json.Unmarshal(raw, v)
}

// Another codec carries events, acks, refusals and what the server asks.
func TestForeignJSON(t *testing.T) {
	run(t, socketio.Config{JSON: stdCodec{}}, func(r *rig) {
		r.srv.Use(func(ctx context.Context, s *socketio.Socket) error {
			var auth struct{ No string }
			if err := s.Handshake().DecodeAuth(&auth); err != nil {
				return err
			}
			if auth.No != "" {
				return &socketio.Error{Message: "no", Data: map[string]string{"why": auth.No}}
			}
			return nil
		})
		r.srv.On("say", socketio.Reply(func(ctx context.Context, s *socketio.Socket, in struct {
			event.Args
			Text struct{ A string }
			Data []byte
		}) (any, error) {
			return in.Text.A, s.Emit("said", in.Text, in.Data)
		}))
		p := r.join("/")
		p.send(`451-0["say",{"a":"<&>"},{"_placeholder":true,"num":0}]`, "b\x01")
		p.want(`451-["said",{"A":"<&>"},{"_placeholder":true,"num":0}]`, "the event, as encoding/json writes names")
		p.want("b\x01", "its binary value")
		p.want(`430["<&>"]`, "the ack")
		q := r.open()
		q.send(`40{"no":"never"}`)
		q.want(`44{"message":"no","data":{"why":"never"}}`, "the refusal")
	})
}
