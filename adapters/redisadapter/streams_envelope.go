package redisadapter

import (
	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/cluster/wire"
)

// ofSessions reports whether messages of this type are those about sessions,
// which only nodes of ours understand: others do not look at them.
func ofSessions(t cluster.Type) bool {
	return t == cluster.ReleaseSession || t == cluster.SessionReleased
}

// appendStreamsEnvelope appends m as it is published on a channel.
func appendStreamsEnvelope(dst []byte, nsp string, m *cluster.Message) []byte {
	if !ofSessions(m.Type) {
		return cluster.AppendEnvelope(dst, wire.Msgpack, nsp, m)
	}
	return wire.Msgpack.Append(dst, wire.Map(
		wire.M("type", wire.Int(int64(m.Type))),
		wire.M("data", wire.Map(wire.M("requestId", wire.String(m.RequestID)), wire.M("pid", wire.String(m.PID)))),
		wire.M("uid", wire.String(m.From)),
		wire.M("nsp", wire.String(nsp)),
	))
}

// parseStreamsEnvelope reads what was published on a channel.
func parseStreamsEnvelope(msg []byte) (m *cluster.Message, nsp string, err error) {
	m, nsp, err = cluster.ParseEnvelope(wire.Msgpack, msg)
	if err == nil {
		return m, nsp, nil
	}
	v, failed := wire.Msgpack.Decode(msg)
	if failed != nil {
		return nil, "", err
	}
	n, _ := v.Get("type").Int()
	data := v.Get("data")
	m = &cluster.Message{From: v.Get("uid").Str(), RequestID: data.Get("requestId").Str(), PID: data.Get("pid").Str()}
	if n <= 0 || n > 255 || !ofSessions(cluster.Type(n)) || m.From == "" || m.RequestID == "" || m.PID == "" {
		return nil, "", err
	}
	m.Type = cluster.Type(n)
	return m, v.Get("nsp").Str(), nil
}
