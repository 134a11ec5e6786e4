package wire

import (
	"testing"

	"github.com/hermod-io/hermod/socketio/parser"
)

// A broadcast of 110 bytes of arguments.
var broadcastArgs = parser.Args{JSON: []byte(`["message",{"id":1234567,"from":"Ada Lovelace","text":"a few words to the whole room, not more","ok":true}]`)}

// appendBroadcast is a broadcast of the classic adapter.
func appendBroadcast(dst []byte, d Dialect, a parser.Args) []byte {
	w := NewWriter(dst, d)
	w.Array(3)
	w.String("GpTBOv")
	w.Map(3)
	w.Key("type")
	w.Int(2)
	w.Key("data")
	w.Args(a)
	w.Key("nsp")
	w.String("/")
	w.EndMap()
	w.Map(3)
	w.Key("rooms")
	w.Strings([]string{"room1"})
	w.Key("except")
	w.Strings(nil)
	w.Key("flags")
	w.Map(0)
	w.EndMap()
	w.EndMap()
	w.EndArray()
	return w.Bytes()
}

// broadcastValue is the same, built.
func broadcastValue(a parser.Args) Value {
	return Array(
		String("GpTBOv"),
		Map(M("type", Int(2)), M("data", Args(a)), M("nsp", String("/"))),
		Map(M("rooms", Strings([]string{"room1"})), M("except", Strings(nil)), M("flags", Map())),
	)
}

// readBroadcast reads what a node needs of it.
func readBroadcast(d Dialect, msg []byte) (uid, nsp string, a parser.Args, rooms, except []string, err error) {
	v, err := d.Decode(msg)
	if err != nil {
		return "", "", a, nil, nil, err
	}
	var packet, opts Value
	for i, e := range v.Elems() {
		switch i {
		case 0:
			uid = e.Str()
		case 1:
			packet = e
		case 2:
			opts = e
		}
	}
	for name, m := range packet.Members() {
		switch name {
		case "nsp":
			nsp = m.Str()
		case "data":
			if a, err = m.Args(); err != nil {
				return "", "", a, nil, nil, err
			}
		}
	}
	for name, m := range opts.Members() {
		switch name {
		case "rooms":
			rooms = m.Strings()
		case "except":
			except = m.Strings()
		}
	}
	return uid, nsp, a, rooms, except, nil
}

func TestBroadcast(t *testing.T) {
	for _, d := range dialects {
		msg := appendBroadcast(nil, d, broadcastArgs)
		if built := d.Append(nil, broadcastValue(broadcastArgs)); string(built) != string(msg) {
			t.Errorf("%v: %q and %q", d, msg, built)
		}
		uid, nsp, a, rooms, except, err := readBroadcast(d, msg)
		if uid != "GpTBOv" || nsp != "/" || string(a.JSON) != string(broadcastArgs.JSON) || len(rooms) != 1 || rooms[0] != "room1" || except != nil || err != nil {
			t.Errorf("%v: %v %v %s %v %v %v", d, uid, nsp, a.JSON, rooms, except, err)
		}
	}
}

func BenchmarkBroadcast(b *testing.B) {
	for _, d := range dialects {
		buf := make([]byte, 0, 1024)
		b.Run("args/"+d.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = d.AppendArgs(buf[:0], broadcastArgs)
			}
			b.SetBytes(int64(len(broadcastArgs.JSON)))
		})
		b.Run("write/"+d.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = appendBroadcast(buf[:0], d, broadcastArgs)
			}
		})
		b.Run("build/"+d.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = d.Append(buf[:0], broadcastValue(broadcastArgs))
			}
		})
		msg := appendBroadcast(nil, d, broadcastArgs)
		b.Run("read/"+d.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, _, _, _, err := readBroadcast(d, msg); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
