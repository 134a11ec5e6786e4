package socketio

import (
	"context"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/args"
)

// RemoteSocket is a socket of any node, as FetchSockets found it. What it tells
// is of that moment; its methods act on the socket wherever it is.
type RemoteSocket struct {
	ns      *Namespace
	info    adapters.SocketInfo
	timeout time.Duration
}

// ID is the socket's id.
func (r *RemoteSocket) ID() string { return r.info.ID }

// Info is what was found. It must not be changed.
func (r *RemoteSocket) Info() adapters.SocketInfo { return r.info }

// Handshake is how the socket connected. It must not be changed.
func (r *RemoteSocket) Handshake() adapters.Handshake { return r.info.Handshake }

// Rooms returns the rooms that the socket was in.
func (r *RemoteSocket) Rooms() []string { return r.info.Rooms }

// DecodeData decodes what the application attached to the socket, a JSON
// object, into v, a non-nil pointer; without any v stays as it is. The error is
// that of Config.JSON.
func (r *RemoteSocket) DecodeData(v any) error {
	if r.info.Data == nil {
		return nil
	}
	return r.ns.srv.cfg.JSON.Decode(r.info.Data, nil, v)
}

// Timeout returns r with an EmitWithAck that waits for d at most, see
// Broadcast.Timeout.
func (r *RemoteSocket) Timeout(d time.Duration) *RemoteSocket {
	return &RemoteSocket{ns: r.ns, info: r.info, timeout: d}
}

func (r *RemoteSocket) only() Broadcast {
	b := r.ns.To(r.info.ID).Timeout(r.timeout)
	b.flags.Single = true
	return b
}

// Emit sends an event to the socket; see Broadcast.Emit. That the socket is
// gone is no error.
func (r *RemoteSocket) Emit(event string, args ...any) error { return r.only().Emit(event, args...) }

// EmitWithAck sends an event to the socket and waits for its ack, as
// Socket.EmitWithAck does. If the socket is gone the error is an *AckError.
func (r *RemoteSocket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	got, err := r.only().EmitWithAck(ctx, event, args...)
	switch {
	case len(got) > 0:
		return got[0], nil
	case err == nil:
		return Args{}, &AckError{Missing: 1, Err: ErrClosed}
	}
	return Args{}, err
}

// Call is EmitWithAck that decodes the ack into reply, as Socket.Call does.
func (r *RemoteSocket) Call(ctx context.Context, name string, reply any, values ...any) error {
	got, err := r.EmitWithAck(ctx, name, values...)
	return args.Answer(got, err, reply)
}

// Join puts the socket into rooms; see Broadcast.SocketsJoin.
func (r *RemoteSocket) Join(ctx context.Context, rooms ...string) error {
	return r.only().SocketsJoin(ctx, rooms...)
}

// Leave takes the socket out of rooms; see Broadcast.SocketsJoin.
func (r *RemoteSocket) Leave(ctx context.Context, rooms ...string) error {
	return r.only().SocketsLeave(ctx, rooms...)
}

// Disconnect makes the socket leave its namespace, or closes its connection; see
// Broadcast.SocketsJoin.
func (r *RemoteSocket) Disconnect(ctx context.Context, closeConn bool) error {
	return r.only().DisconnectSockets(ctx, closeConn)
}
