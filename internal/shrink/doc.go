// Package shrink has a map that becomes smaller when less is in it. A map of Go
// keeps the memory that it had when it was largest, so a server would keep that of
// its busiest hour.
package shrink
