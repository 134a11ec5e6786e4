// Package chat is the chat of the server program: rooms with people, a bounded
// history, typing notices and files that travel as binary.
//
// The three things to know: Register, which gives a Socket.IO server the chat;
// the descriptors of events.go (Join, Say, Send and so on), which are the whole
// protocol; Config, which bounds what is remembered.
//
//	srv, err := socketio.New(socketio.Config{})
//	…
//	chat.Register(srv, chat.Config{History: 100})
//
// A client is in one room at a time. It names its messages itself; one that it
// sends again, because a lost connection swallowed the receipt, is delivered
// once. A client that comes back before the server has missed it shows its key
// and gets its seat back.
//
// Everything is in memory and of this node alone. In a cluster messages and typing
// notices reach the room on all nodes; history, names, the list of people and that
// of rooms are those of the node one is connected to. Every room forgets its oldest
// messages; a room that everyone has left is forgotten after Config.Linger, and
// earlier when there are many of them.
package chat
