// Echoclient connects to the URL of one test case of a WebSocket test suite
// and sends every text and binary message back until the server closes:
//
//	echoclient -deflate takeover 'ws://127.0.0.1:9001/runCase?case=1&agent=hermod'
//
// The exit status is 0 when there was a connection, whatever way it ended.
package main
