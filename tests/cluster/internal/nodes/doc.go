// Package nodes starts clusters for tests: official Socket.IO servers (npm) and
// Hermod's, on one Redis, with clients.
//
//	r := redistest.Start(t, redistest.Options{})
//	a := nodes.Start(t, r, nodes.Options{Kind: nodes.Official, Flavour: nodes.Classic})
//	b := nodes.Start(t, r, nodes.Options{Kind: nodes.Hermod, Flavour: nodes.Classic, Proxied: true})
//	nodes.Meet(t, "/chat", a, b)
//	c := b.Dial(t, "/chat", nodes.ClientOptions{Name: "c"})
//	a.Do(t, "emit", nodes.Q{"nsp": "/chat", "event": "hello"})
//	c.Want(t, "hello")
//	b.Freeze(); b.Thaw(); b.Redis.Down(); b.Kill()
//
// The types to know: [Node], a server in a process of its own, which does what
// [Node.Do] tells it (tests/cluster/README.md lists the operations), and [Client],
// which remembers what it hears. TestMain of a test that uses them is [Main].
package nodes
