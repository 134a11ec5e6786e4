// Package cluster tests clusters of official Socket.IO servers and Hermod's on
// one Redis: every flavour of the adapters, and each kind of node as the caller
// and the called. The tests need Node and redis-server and have the build tag
// node; the harness is tests/cluster/internal/nodes.
package cluster
