// Package siotest tests programs that use package socketio: a server and its
// clients in one process, on a network in memory.
//
// The three types to know: Server, what is tested; Client, a sioclient.Socket
// with a record of what happened to it; Mode, what a client connects over. Run
// gives a test fake time, in which heartbeats, timeouts and reconnections cost
// nothing and always fall the same:
//
//	func TestSay(t *testing.T) {
//		siotest.Run(t, func(t *testing.T) {
//			srv := siotest.Serve(t, handlers, siotest.Config{})
//			ada := srv.Connect(t, "/chat", sioclient.Config{})
//			bob := srv.Connect(t, "/chat", sioclient.Config{})
//			if err := Say.Emit(ada, "hi"); err != nil {
//				t.Fatal(err)
//			}
//			if got := siotest.Expect(t, bob, Said); got != "hi" {
//				t.Errorf("bob hears %q", got)
//			}
//			siotest.ExpectNothing(t, ada, time.Minute)
//		})
//	}
//
// Each runs a test over polling, WebSocket, and the upgrade from the one to the
// other. ServeCluster starts several servers, the nodes of one cluster.
//
// # Order
//
// Everything that happens to a client is recorded from its making on, so nothing
// is missed that comes before the test asks. Expect takes the oldest event of
// its name; Next the oldest of all.
//
// # Faults
//
// Client.Cut resets the connection, Stall and Resume stop the network for a
// while, Server.Stop, Start and Restart are the end of the process and another
// one, Config.Latency makes the network slow.
//
// # Limits
//
// A client whose handler blocks is read on after 10 ms: a test of what happens
// meanwhile lets that time go by.
//
// What runs in a bubble must not wait for anything outside of it: a real network
// connection, a child process. Outside of a bubble all works in real time, but
// goroutines and sessions that are left are not looked for; ExpectNothing then
// waits for as long as it says. Other adapters than the one of ServeCluster are given
// to socketio.Config.Adapter as usual; what they connect to is not in memory.
package siotest
