// Package sioclient is a Socket.IO client (protocol 5) that behaves as the
// official one does, with the API of the server in package socketio.
//
// The three types to know: [Socket], a client in one namespace; [Manager], one
// connection that Sockets of several namespaces share, and that is made again
// when it is lost; [Event], what a [Handler] is given.
//
//	c, err := sioclient.New("https://host/chat", sioclient.Config{
//		Auth: func(ctx context.Context) (any, error) { return map[string]string{"token": token()}, nil },
//	})
//	c.On("said", sioclient.Receive(func(ctx context.Context, s *sioclient.Socket, text string) error {
//		fmt.Println(text)
//		return nil
//	}))
//	if err := c.Connect(ctx); err != nil { … }
//	defer c.Close(context.Background())
//	var room string
//	err = c.Call(ctx, "join", &room, "lobby")
//
// [Dial] is New and Connect in one, for a client that asks and is not told.
// Descriptors of package event work with a Socket as with the server.
//
// # Connections
//
// A lost connection is made again after Config.Reconnection, and the Socket
// joins its namespace again, with a new Auth. Not so after Disconnect, nor
// when the server has disconnected the Socket or refused it: then Connect has
// to be called. If the server has connection state recovery the Socket keeps its
// id and is sent what it has missed; Recovered tells.
//
// # Events while there is no connection
//
// They are kept and sent when there is one, in order; what is kept is bounded
// by Config.Buffer, and an event that does not fit is refused with ErrQueueFull.
// Volatile events are dropped instead. An event that was sent as the connection
// was lost may have arrived or not; with Config.Retries each is sent until
// the server has acknowledged it, so that it may arrive more than once.
//
// # Order and waiting
//
// Events of one Socket are handled one at a time, in the order of their
// arrival, on a goroutine of their own; OnConnect and OnDisconnect have their
// place among them. A handler may block: acks and heartbeats are dealt with
// meanwhile, so it may also wait for an ack. What waits for handlers is bounded
// by Config.Mailbox; above that the connection is not read, and the server's
// sending slows down, or the server gives the connection up. Nothing that sends
// blocks, except EmitWithAck and Call, which wait for the ack.
package sioclient
