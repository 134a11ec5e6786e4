// Package sockets serves plain WebSockets beside Socket.IO: a chat that hands on
// what each member says, and a small REST interface, both in the sub-protocols of
// package wscore.
//
// The type to know is [Sockets].
//
//	s := sockets.New(sockets.Config{Chat: true, REST: true, Status: status})
//	mux.Handle(sockets.ChatPath, s)
//
// Limits: the chat has one room and no memory.
package sockets
