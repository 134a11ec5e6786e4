// Package sioclient runs the Go client against the official server, and against
// ours: the same scenarios, on the test application of tests/conformance. The
// tests need Node and have the build tag node.
package sioclient
