// Command soak talks to a Socket.IO server with many clients of all kinds,
// through a proxy that cuts their connections, and checks what each of them
// gets: nothing twice, nothing out of order, nothing lost but what the
// documentation says may be lost, and no memory kept.
//
//	go run ./tests/soak -clients 2000 -duration 10m
//
// The server runs in a process of its own, three of them in fact: with recovery
// and the default parser, with recovery and msgpack, and without recovery, which
// also takes clients of Engine.IO 3. All is on loopback.
//
// The clients start as fast as the machine takes them, and the duration counts
// from then on. While the machine cannot keep up, which late timers show, there is
// less traffic: what is looked for is faults, not a limit of the machine.
//
// Each stream of events is numbered by its sender, who says in the stream itself
// where it begins: "hello" tells the number of the next event to the client
// alone, "joined" that of the next broadcast to a room. From there on a client
// takes the numbers one by one (see ledger). The server does so with what it is
// sent (see session). At the end, when there are no more cuts and no more
// traffic, each client asks for the final numbers.
//
// A violation is printed with the last events of the client and the seed of the
// random choices, and the exit status is 1.
package main
