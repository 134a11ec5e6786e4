// Package socketio is a Socket.IO server (protocol 5) that official clients
// use unchanged.
//
// The three types to know: [Server], an http.Handler with namespaces; [Socket],
// one client in one namespace; [Event], what a [Handler] is given. Handlers are
// registered on a namespace (the server stands for the main one); [Receive] and
// [Reply] make typed ones:
//
//	srv, err := socketio.New(socketio.Config{})
//	srv.On("say", socketio.Receive(func(ctx context.Context, s *socketio.Socket, text string) error {
//		return s.To("lobby").Emit("say", text)
//	}))
//	http.Handle("/socket.io/", srv)
package socketio
