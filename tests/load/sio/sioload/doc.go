//go:build linux

// Command sioload drives a Socket.IO server with the application of
// tests/load/benchapp and measures what a message costs it.
//
//	sioload -addr 127.0.0.1:3000 -pid PID -s echo -n 200 -w 1 -dur 2s
//
// It speaks Engine.IO 4 and Socket.IO 5 with frames that are built before the
// measurement, on one goroutine over epoll, so that one core of it can keep one
// core of a server busy. Every answer is compared with what was sent, byte for
// byte; broadcasts bear the number of their room and their place in it, and each
// member must get each once and in order. A message that is lost, doubled, out
// of order or changed fails the run. The result is a line of JSON (see package
// report); the exit status is 1 if the run failed.
//
// The scenarios are connect, idle (over WebSocket, or with GETs that wait), echo
// (over WebSocket, TLS, with msgpack or permessage-deflate, over long-polling, or on
// a schedule), rooms, upgrade, churn and stall; scenarios.go lists them.
//
// The one type to know is run: the state of a scenario. A client is one
// connection of it, over a conn of the loop.
package main
