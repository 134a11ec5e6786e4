// Package app is the server program without its flags: it puts the floors
// together, runs them, and stops them.
package app
