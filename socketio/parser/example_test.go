package parser_test

import (
	"fmt"

	"github.com/hermod-io/hermod/socketio/parser"
)

func ExampleParser() {
	j := parser.DefaultJSON()
	text, att, err := parser.AppendEvent(j, nil, nil, "photo", "ada", []byte{1, 2, 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := &parser.Packet{Type: parser.Event, Namespace: "/chat", ID: 7, HasID: true, Args: parser.Args{JSON: text, Attachments: att}}
	msg, _, attachments := parser.Default().AppendPacket(nil, p)
	fmt.Println(string(msg), attachments)
	// Output: 51-/chat,7["photo","ada",{"_placeholder":true,"num":0}] [[1 2 3]]
}

func ExampleDecoder() {
	d := parser.Default().NewDecoder(parser.Limits{})
	_, ok, _ := d.Decode(false, []byte(`51-["photo","ada",{"_placeholder":true,"num":0}]`))
	fmt.Println("complete:", ok)
	p, ok, _ := d.Decode(true, []byte{1, 2, 3})
	name, _ := p.EventName()
	fmt.Println("complete:", ok, string(name), p.Attachments)

	_, _, err := d.Decode(false, []byte(`2["disconnect"]`))
	fmt.Println(err)
	// Output:
	// complete: false
	// complete: true photo [[1 2 3]]
	// socketio: parse error: reserved event name
}

func ExampleJSON() {
	type photo struct {
		Name string `json:"name"`
		Data []byte `json:"data"`
	}
	j := parser.DefaultJSON()
	text, att, _ := j.Append(nil, nil, photo{"ada.png", []byte{1, 2, 3}})
	fmt.Println(string(text), att)

	var got photo
	err := j.Decode(text, att, &got)
	fmt.Println(got, err)
	// Output:
	// {"name":"ada.png","data":{"_placeholder":true,"num":0}} [[1 2 3]]
	// {ada.png [1 2 3]} <nil>
}

func ExampleArgs_All() {
	args := parser.Args{JSON: []byte(`["message",{"room":"lobby"},true]`)}
	for i, raw := range args.All() {
		fmt.Println(i, string(raw))
	}
	// Output:
	// 0 "message"
	// 1 {"room":"lobby"}
	// 2 true
}
