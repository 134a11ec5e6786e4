// Command cluster measures what messages between two nodes cost: two official
// servers, two of ours, and two of ours that send batches, over one Redis, in rounds
// in which the kinds take turns.
//
// A node broadcasts numbered events to a room, and the other one has a socket in
// it that writes to nobody, which counts them and sees to their order. The
// publisher is never more than a window ahead. Processor time is the kernel's
// account of the threads of the three programs; bytes are what Redis says to have
// sent. The time from emit to socket is of a second run, at a fixed rate.
//
// A last part lets sixteen nodes of ours share a thousand rooms, each on two of
// them, with a subscription for each room and with a pattern for all, and says
// what Redis had to send for it.
//
//	go build -o build/ . && build/cluster -rounds 5
//
// redis-server must be installed. Official nodes need node and the packages of
// tests/cluster. The program calls itself with the argument "node" for a node of
// ours; node.mjs is the official one. See nodeOptions for what both are told.
package main
