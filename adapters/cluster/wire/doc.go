// Package wire holds the three codecs in which the nodes of a cluster write
// messages to each other, byte-compatible with the official adapters: [JSON],
// [Notepack] (notepack.io 3) and [Msgpack] (@msgpack/msgpack 2.8).
//
// A [Value] is what JavaScript has in a message, with the order of its members
// and its numbers as they are. Messages are built from values, or without them by
// a [Writer]; they are read by looking into the value that [Dialect.Decode]
// returns, which is a view of the message's bytes: nothing is unpacked that is not
// asked for. The arguments of an event or of an ack, most of a message, never
// become values: they are transcoded from [parser.Args] to bytes and back.
//
//	msg := wire.Notepack.Append(nil, wire.Array(
//		wire.String(uid),
//		wire.Map(wire.M("type", wire.Int(2)), wire.M("data", wire.Args(p.Args)), wire.M("nsp", wire.String(nsp))),
//		wire.Map(wire.M("rooms", wire.Strings(rooms)), wire.M("except", wire.Strings(nil)), wire.M("flags", wire.Map())),
//	))
//
//	v, err := wire.Notepack.Decode(msg)
//	rooms := v.At(2).Get("rooms").Strings()
//	args, err := v.At(1).Get("data").Args()
//
// Which dialect a message has is for the adapter to know: the sharded and streams
// adapters choose by [HasBinary], and tell JSON by its first byte.
//
// # What the dialects do with values they have no form for
//
//	                     JSON                             Notepack            Msgpack
//	undefined            null; as a member left out       nil; left out       nil; nil
//	binary value         {"type":"Buffer","data":[…]}     bin                 bin
//	Date                 string, as toJSON gives it       timestamp           timestamp
//	NaN, infinities      null                             float               float
//	integer ≥ 2^53       its digits                       integer             float, if one is exact
//	integral float       digits, from 1e21 with exponent  integer below 2^64  integer below 2^53
//	extension (decoded)  –                                [type, bin]         {type, data: bin}
//
// The JavaScript programs have two faults that are not copied: notepack.io writes
// floats ≥ 2^64 as wrong integers (here they are floats, which it reads), and
// @msgpack/msgpack writes an ArrayBuffer as an empty map. A binary value that came
// as JSON is read as the object that it then is; so the official adapters do.
//
// # Limits
//
// Arrays and maps nest at most 1000 deep, the message around the arguments
// included. Announced lengths are checked against the bytes that are there. The
// arguments of one packet hold at most 65536 binary values.
package wire
