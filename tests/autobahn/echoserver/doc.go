// Echoserver sends every text and binary message back, on any path. It is what
// a WebSocket test suite is pointed at:
//
//	echoserver -addr 127.0.0.1:9001 -deflate takeover
//
// It prints the address it listens on. The flags -max and -progress set limits
// that a test can reach.
package main
