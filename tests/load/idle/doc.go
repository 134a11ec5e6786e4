// Command idle measures what an idle connection costs a server: it opens many
// WebSocket connections with the headers of a browser, lets each join the main
// namespace and a room and send one echo, waits, and compares the server's
// memory with what it was before.
//
//	go build -o tests/load/build/idleserver ./tests/load/idleserver
//	go run ./tests/load/idle -exec tests/load/build/idleserver -n 8000
//
// The server is a process of its own, started by -exec, or already running at
// -addr with its figures at -stats (see the command idleserver for both). The
// clients come from 127.0.0.2 to 127.0.0.17, so that no address runs out of
// ports; that needs Linux. With -max the exit status is 1 if a connection costs
// more heap and stack than that.
package main
