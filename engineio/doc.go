// Package engineio is an Engine.IO server (protocol 4, and 3 with
// [Config.AllowEIO3]): sessions over HTTP long-polling, JSONP among it, and
// WebSocket, with upgrade from the one to the other.
//
// The three types to know: [Server], an http.Handler, made by [New] from a
// [Config]; [Session], what a sid names, which survives the change of
// transport; [Handler], which the program implements, told of sessions and messages.
//
//	srv, err := engineio.New(engineio.Config{}, handler)
//	mux.Handle(srv.Pattern(), srv)
//	…
//	err = srv.Shutdown(ctx) // before that of the http.Server
//
// The WriteTimeout of an http.Server does not bind sessions: a polling request
// waits as long as the heartbeat wants, and each 64 KiB of its answer may then take
// PingInterval and twice PingTimeout, or five seconds once its session has ended.
// Its IdleTimeout bounds how long the connection that a polling client has sent
// something on waits for the next, and costs memory; by default that is for ever,
// while Node closes it after five seconds.
//
// Limits: no WebTransport; WebSocket over HTTP/1.1 alone.
package engineio
