// Package suite is a conformance suite of its own for WebSocket, written from
// RFC 6455 and RFC 7692 and numbered in the groups of the Autobahn test suite,
// case for case as many: 517. Its attack cases go beyond that.
//
// The three types to know: [Case] is a row of the tables, [Say] what is sent
// in it, [End] how the connection must end. A case is run by either side of a
// raw connection, against a server that echoes or a client that does:
//
//	conn, err := raw.Dial(addr, "")
//	…
//	err = suite.Run(conn, c)
package suite
