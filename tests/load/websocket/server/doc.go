// Command server is one of the servers that wsload compares: the smallest
// honest program over net/http that a user of the library would write.
//
//	server -lib hermod|gws|coder [-deflate off|no-takeover|takeover]
//
//	/echo  every message is sent back
//	/fan   every message is sent to all connections of /fan, in the form that the
//	       library has for it
//
// It prints its address, reads commands from the standard input, one a line, and
// ends with it:
//
//	gc            collects garbage, gives memory back, answers the figures as JSON
//	heap FILE     writes the heap profile; wants -memprofilerate 1
//	profile FILE  starts a CPU profile
//	profile       ends it
package main
