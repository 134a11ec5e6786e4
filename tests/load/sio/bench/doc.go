//go:build linux

// Command bench compares Socket.IO servers: ours, the official one, a peer in
// Go, and one that only fakes the bytes.
//
//	make bench [BENCHARGS="-quick -only echo,rooms -rounds 3"]
//
// Each server under test is the same small application (tests/load/benchapp,
// tests/load/official, tests/load/peers, tests/load/bound). For each round and
// each line of the plan the servers take turns, every time in a fresh process on
// the first core, with GOMAXPROCS=1, while sioload drives it from the second and
// checks every message. Results go to a file as lines of JSON; the tables made
// of them to standard output and, of a whole run, into docs/benchmarks.md with
// pictures beside it: processor time, throughput, latencies, memory, and how a
// delivery or an echo grows with members, rooms and namespaces. Beyond what the limit
// of files allows that is measured in memory, by BenchmarkScale of package socketio.
//
// Latencies on a schedule are those of the machine when others use it: whoever
// wakes up waits until the slice of the program on its core is over, some
// milliseconds with Linux' defaults. With -realtime (as root) server and
// generator go before all others in these lines, and with -beyond; they sleep between messages,
// so the others have what is left of the cores.
//
// With -beyond it measures ours alone: with two processors beside one, and how
// much garbage collection takes with many connections (9500, below a limit of
// 10 000 files) and another GOGC. The runtime counts the latter by the clock, so
// that it means nothing while others have the core: use -realtime.
//
// With -smoke every line is run once with a few messages, against ours alone:
// that shows that the comparison still works. It needs Linux and taskset, and
// two cores to say anything.
package main
