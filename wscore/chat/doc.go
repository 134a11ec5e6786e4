// Package chat is the simplest sub-protocol on a connection: messages as they
// are, with a word when a peer comes and when it goes.
//
// The type to know is [Chat]: it names the sub-protocol, tells the application
// what happens, and sends to one member or to all. It serves both sides; with
// a name, or without one for clients that offer none.
//
//	room := chat.New(chat.Options{Name: "meow", OnMessage: func(p *wscore.Process, op wscore.Opcode, data []byte) {
//		room.Broadcast(op, data)
//	}})
//	list := new(wscore.ProtocolList)
//	list.Add(room.Spec())
//	http.Handle("/ws/chat", wscore.NewHandler(list, wscore.ProcessSettings{}))
//
// mORMot 2 calls it TWebSocketProtocolChat; nothing but the application's
// messages travels.
//
// Limits: there are no rooms but the Chat itself, and no acknowledgements.
package chat
