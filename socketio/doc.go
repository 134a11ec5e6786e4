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
//
// # Order
//
// Events of one Socket are handled one at a time, in the order of their
// arrival; OnConnect before the first, OnDisconnecting and OnDisconnect after
// the last. What was received before a connection ended is still handled, with
// ctx done. Acks overtake events, so a handler may wait for one. What one
// goroutine sends to one Socket leaves in that order.
//
// # Waiting and its bounds
//
// Nothing that sends blocks. What waits for a slow client is bounded by
// engineio.Config.Queue, what waits for slow handlers by Config.Mailbox: above
// that the connection is not read, and the client's sending slows down. While a
// handler waits for an ack of its own client reading goes on, up to four times
// the bound, beyond which the connection is closed.
//
// # Bytes
//
// A []byte in an argument, at any depth, travels as binary. Slices given to an
// emit are read before it returns. What a handler receives is its to keep.
//
// # Limits
//
// A volatile packet over long-polling is lost while no GET of its client waits,
// also in the moment between two of them: of answers to what a client sends many
// are, where over WebSocket hardly any is.
package socketio
