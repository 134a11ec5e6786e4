package socketio

import (
	"context"
	"iter"
	"time"

	"github.com/hermod-io/hermod/adapters"
)

// Use is Namespace.Use of the main namespace.
func (srv *Server) Use(f func(ctx context.Context, s *Socket) error) { srv.main.Use(f) }

// OnConnect is Namespace.OnConnect of the main namespace.
func (srv *Server) OnConnect(f func(ctx context.Context, s *Socket) error) { srv.main.OnConnect(f) }

// On is Namespace.On of the main namespace.
func (srv *Server) On(event string, h Handler) { srv.main.On(event, h) }

// OnAny is Namespace.OnAny of the main namespace.
func (srv *Server) OnAny(h Handler) (off func()) { return srv.main.OnAny(h) }

// PrependAny is Namespace.PrependAny of the main namespace.
func (srv *Server) PrependAny(h Handler) (off func()) { return srv.main.PrependAny(h) }

// OnAnyOutgoing is Namespace.OnAnyOutgoing of the main namespace.
func (srv *Server) OnAnyOutgoing(f func(s *Socket, e *Event)) (off func()) {
	return srv.main.OnAnyOutgoing(f)
}

// PrependAnyOutgoing is Namespace.PrependAnyOutgoing of the main namespace.
func (srv *Server) PrependAnyOutgoing(f func(s *Socket, e *Event)) (off func()) {
	return srv.main.PrependAnyOutgoing(f)
}

// UseEvent is Namespace.UseEvent of the main namespace.
func (srv *Server) UseEvent(mw func(next Handler) Handler) { srv.main.UseEvent(mw) }

// OnDisconnecting is Namespace.OnDisconnecting of the main namespace.
func (srv *Server) OnDisconnecting(f func(s *Socket, r Reason)) { srv.main.OnDisconnecting(f) }

// OnDisconnect is Namespace.OnDisconnect of the main namespace.
func (srv *Server) OnDisconnect(f func(s *Socket, r Reason)) { srv.main.OnDisconnect(f) }

// OnSessionExpired is Namespace.OnSessionExpired of the main namespace.
func (srv *Server) OnSessionExpired(f func(s adapters.Session)) { srv.main.OnSessionExpired(f) }

// OnError is Namespace.OnError of the main namespace.
func (srv *Server) OnError(f func(s *Socket, event string, err error)) { srv.main.OnError(f) }

// OnServerSide is Namespace.OnServerSide of the main namespace.
func (srv *Server) OnServerSide(event string, f func(ctx context.Context, e *Event) error) {
	srv.main.OnServerSide(event, f)
}

// To is Namespace.To of the main namespace.
func (srv *Server) To(rooms ...string) Broadcast { return srv.main.To(rooms...) }

// In is the same as To.
func (srv *Server) In(rooms ...string) Broadcast { return srv.main.To(rooms...) }

// Except is Namespace.Except of the main namespace.
func (srv *Server) Except(rooms ...string) Broadcast { return srv.main.Except(rooms...) }

// Local is Namespace.Local of the main namespace.
func (srv *Server) Local() Broadcast { return srv.main.Local() }

// Volatile is Namespace.Volatile of the main namespace.
func (srv *Server) Volatile() Broadcast { return srv.main.Volatile() }

// Compress is Namespace.Compress of the main namespace.
func (srv *Server) Compress(on bool) Broadcast { return srv.main.Compress(on) }

// Timeout is Namespace.Timeout of the main namespace.
func (srv *Server) Timeout(d time.Duration) Broadcast { return srv.main.Timeout(d) }

// Emit is Namespace.Emit of the main namespace.
func (srv *Server) Emit(event string, args ...any) error { return srv.main.Emit(event, args...) }

// Send is Namespace.Send of the main namespace.
func (srv *Server) Send(args ...any) error { return srv.main.Send(args...) }

// EmitWithAck is Namespace.EmitWithAck of the main namespace.
func (srv *Server) EmitWithAck(ctx context.Context, event string, args ...any) (Replies, error) {
	return srv.main.EmitWithAck(ctx, event, args...)
}

// FetchSockets is Namespace.FetchSockets of the main namespace.
func (srv *Server) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	return srv.main.FetchSockets(ctx)
}

// SocketsJoin is Namespace.SocketsJoin of the main namespace.
func (srv *Server) SocketsJoin(ctx context.Context, rooms ...string) error {
	return srv.main.SocketsJoin(ctx, rooms...)
}

// SocketsLeave is Namespace.SocketsLeave of the main namespace.
func (srv *Server) SocketsLeave(ctx context.Context, rooms ...string) error {
	return srv.main.SocketsLeave(ctx, rooms...)
}

// DisconnectSockets is Namespace.DisconnectSockets of the main namespace.
func (srv *Server) DisconnectSockets(ctx context.Context, closeConn bool) error {
	return srv.main.DisconnectSockets(ctx, closeConn)
}

// ServerSideEmit is Namespace.ServerSideEmit of the main namespace.
func (srv *Server) ServerSideEmit(ctx context.Context, event string, args ...any) error {
	return srv.main.ServerSideEmit(ctx, event, args...)
}

// ServerSideEmitWithAck is Namespace.ServerSideEmitWithAck of the main namespace.
func (srv *Server) ServerSideEmitWithAck(ctx context.Context, event string, args ...any) (Replies, error) {
	return srv.main.ServerSideEmitWithAck(ctx, event, args...)
}

// ServerSide is Namespace.ServerSide of the main namespace.
func (srv *Server) ServerSide() ServerSide { return srv.main.ServerSide() }

// Sockets is Namespace.Sockets of the main namespace.
func (srv *Server) Sockets() iter.Seq[*Socket] { return srv.main.Sockets() }

// Socket is Namespace.Socket of the main namespace.
func (srv *Server) Socket(id string) *Socket { return srv.main.Socket(id) }

// Rooms is Namespace.Rooms of the main namespace.
func (srv *Server) Rooms(ctx context.Context) ([]string, error) { return srv.main.Rooms(ctx) }
