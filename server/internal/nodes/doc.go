// Package nodes makes this program a node of a cluster: the adapter by way of
// which broadcasts reach the other nodes, the router that lets any node serve any
// request, and whether Redis answers.
//
//	n, err := nodes.New(ctx, nodes.Config{Adapter: nodes.Classic, URL: "redis://localhost"}, log)
//	sio, err := socketio.New(socketio.Config{Adapter: n.Adapter(), Engine: engineio.Config{Router: n.Router()}})
//	// at the end sio.Shutdown, then
//	err = n.Close(ctx)
//
// The type to know is [Nodes].
package nodes
