package wire_test

import (
	"fmt"

	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/socketio/parser"
)

// A broadcast of the classic adapter is written and read.
func Example() {
	args := parser.Args{JSON: []byte(`["hello",{"b":1,"a":2}]`)}
	msg := wire.Notepack.Append(nil, wire.Array(
		wire.String("GpTBOv"),
		wire.Map(wire.M("type", wire.Int(2)), wire.M("data", wire.Args(args)), wire.M("nsp", wire.String("/"))),
		wire.Map(wire.M("rooms", wire.Strings([]string{"room1"})), wire.M("except", wire.Array()), wire.M("flags", wire.Map())),
	))
	fmt.Printf("%q\n", msg[:16])

	v, err := wire.Notepack.Decode(msg)
	if err != nil {
		fmt.Println(err)
		return
	}
	got, err := v.At(1).Get("data").Args()
	fmt.Println(v.At(0).Str(), v.At(2).Get("rooms").Strings(), string(got.JSON), err)
	// Output:
	// "\x93\xa6GpTBOv\x83\xa4type\x02\xa4"
	// GpTBOv [room1] ["hello",{"b":1,"a":2}] <nil>
}

// What an official sharded adapter makes of an ack: its first argument.
func ExampleFirst() {
	answer := wire.Map(wire.M("requestId", wire.String("a1")), wire.M("packet", wire.First(parser.Args{JSON: []byte(`["yes","and more"]`)})))
	msg := wire.JSON.Append(nil, wire.Map(wire.M("type", wire.Int(12)), wire.M("data", answer)))
	fmt.Printf("%s\n", msg)

	v, err := wire.JSON.Decode(msg)
	if err != nil {
		fmt.Println(err)
		return
	}
	args, err := v.Get("data").Get("packet").Ack()
	fmt.Println(string(args.JSON), err)
	// Output:
	// {"type":12,"data":{"requestId":"a1","packet":"yes"}}
	// ["yes"] <nil>
}
