// Package eioclient is an Engine.IO client (protocol 4): long-polling,
// WebSocket, and the upgrade from the one to the other.
//
// The three types to know: [Dialer], made by [NewDialer] from a [Config], which
// holds what its sessions share; [Session], one connection to a server, which
// survives the change of transport; [Handler], the functions that are told of
// messages and of the end.
//
//	d, err := eioclient.NewDialer(eioclient.Config{})
//	ended := make(chan eioclient.Reason, 1)
//	s, err := d.Dial(ctx, "https://host", eioclient.Handler{
//		OnMessage: func(binary bool, data []byte) { … },
//		OnClose:   func(reason eioclient.Reason, err error) { ended <- reason },
//	})
//	err = s.Send(0, eioclient.Message{Data: []byte("hello")})
//
// It does not reconnect; package sioclient does.
//
// # Cost and bounds
//
// An idle session over WebSocket is one goroutine without a buffer, and one
// timer. Over long-polling it is the goroutine that waits for the answer to a
// GET, and those of net/http. Nothing that sends blocks: what waits to be sent
// is bounded by [Queue], and a message that finds it full is refused. OnMessage
// may block, which stops the reading; the server's pings are then not answered, but
// while it is in [Session.Hold].
package eioclient
