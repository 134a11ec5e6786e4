// Package archtest has no code, only tests that hold the shape of the project:
// which package imports which, which module is used where, how long a function
// and a file may be, and what libraries must not do.
//
// They parse the source themselves. The tables are in tables_test.go; a new
// package or module gets its line there, with its reason in the commit and, for
// a module, its row in docs/dependencies.md. Each guard is also tested on a
// source made up to break it, so that none stays green by looking at nothing.
package archtest
