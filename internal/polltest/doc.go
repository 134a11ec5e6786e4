// Package polltest is a Socket.IO client for tests that look at a whole program
// from outside: it speaks raw packets over long-polling, by net/http alone.
package polltest
