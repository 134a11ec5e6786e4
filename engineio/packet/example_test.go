package packet_test

import (
	"fmt"

	"github.com/hermod-io/hermod/engineio/packet"
)

func ExampleAppendPayload() {
	payload := packet.AppendPayload(nil,
		packet.Packet{Type: packet.Message, Data: []byte("hello")},
		packet.Packet{Type: packet.Ping},
		packet.Packet{Type: packet.Message, Binary: true, Data: []byte{1, 2, 3, 4}},
	)
	fmt.Printf("%q\n", payload)
	// Output: "4hello\x1e2\x1ebAQIDBA=="
}

func ExamplePayloadReader() {
	r := packet.NewPayloadReader([]byte("4hello\x1ebAQIDBA==\x1e9\x1e4never seen"))
	for r.Next() {
		p := r.Packet()
		fmt.Println(p.Type, p.Binary, p.Data)
	}
	fmt.Println(r.Err())
	// Output:
	// message false [104 101 108 108 111]
	// message true [1 2 3 4]
	// engineio: parse error: unknown packet type
}

func ExampleHandshake() {
	h := packet.Handshake{SID: "lv_VI97HAXpY6yYWAAAB", PingInterval: 25000, PingTimeout: 20000, MaxPayload: 1e6}
	msg, _ := packet.AppendFrame(nil, packet.Packet{Type: packet.Open, Data: h.AppendJSON(nil)})
	fmt.Println(string(msg))
	// Output: 0{"sid":"lv_VI97HAXpY6yYWAAAB","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}
}
