// Package args holds what the server and the Go client have in common: received
// arguments, and the errors about them. Both packages give them names of their
// own (socketio.Args, sioclient.Args, and so on), by which programs use them.
//
// The three types to know: [Args], arguments that are decoded on demand;
// [Error], which a handler returns for the peer to see; [Decoder], which typed
// handlers are made with.
//
//	var room string
//	var n int
//	err := e.Scan(&room, &n) // an *ArgError tells which argument is wrong
package args
