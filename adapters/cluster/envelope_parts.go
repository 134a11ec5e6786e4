package cluster

import (
	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
	"github.com/hermod-io/hermod/socketio/parser"
)

// What follows are the parts of an envelope, for a bus whose messages have
// another frame. The errors are those of [ParseEnvelope].

// ParsePacket reads an event, {type, data}.
func ParsePacket(d wire.Dialect, v wire.Value) (*parser.Packet, error) {
	p := envelopeParser{d: d}
	packet := p.packet(v)
	return packet, p.err
}

// ParseEvent reads the arguments of an event, an array with its name first.
func ParseEvent(d wire.Dialect, v wire.Value) (parser.Args, error) {
	p := envelopeParser{d: d}
	args, _ := p.event(v)
	return args, p.err
}

// ParseTarget reads opts, {rooms, except, flags}, of which each may be missing.
func ParseTarget(d wire.Dialect, v wire.Value) (adapters.Target, error) {
	p := envelopeParser{d: d}
	t := p.target(v)
	return t, p.err
}

// ParseNames reads an array of names of rooms or sockets; undefined and null are
// an empty one.
func ParseNames(d wire.Dialect, v wire.Value) ([]string, error) {
	p := envelopeParser{d: d}
	names := p.strings(v, "list of names")
	return names, p.err
}

// ParseSockets reads descriptions of sockets.
func ParseSockets(d wire.Dialect, v wire.Value) ([]adapters.SocketInfo, error) {
	p := envelopeParser{d: d}
	all := p.sockets(v)
	return all, p.err
}

// WriteFlags writes the object of flags in opts.
func WriteFlags(w *wire.Writer, f adapters.Flags) { writeFlags(w, f) }

// WriteSockets writes the array of descriptions of sockets.
func WriteSockets(w *wire.Writer, all []adapters.SocketInfo) { writeSockets(w, all) }
