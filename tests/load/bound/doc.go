//go:build linux

// Command bound answers the load generator with the bytes that a Socket.IO
// server would send, without being one: it is what the system calls alone cost,
// the bound that no server gets below. One goroutine over epoll; frames are taken
// apart, but JSON is cut, not decoded, and there are no timers, no other
// transports and no checks. It has the events echo (text), join, leave, pub, gc
// and stats of tests/load/benchapp, and listens on 127.0.0.1:$PORT.
//
// Never use it for anything else: it trusts its peers.
package main
