// Command gonode is a node of the cluster tests: a Hermod server on Redis, with
// the control interface of tests/cluster/README.md. Its one argument is the JSON
// text of its options. It prints "listening ADDRESS", closes on SIGTERM and ends
// when its standard input ends.
package main
