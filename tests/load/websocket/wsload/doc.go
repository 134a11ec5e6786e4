// Command wsload measures WebSocket servers beside each other: the processor
// time of a server for each message, and its memory for each idle connection.
//
//	make bench-websocket
//	wsload -server ./server [-quick] [-only echo,fan,idle,deflate] [-libs hermod,gws,coder]
//
// The servers (see the command server beside it) take turns in rounds, each on
// the first core while the load comes from the second, from code that is of none
// of the libraries compared and that checks every message. What counts is
// the kernel's account of the server's threads (/proc/PID/task/*/schedstat), which
// neighbours on the machine disturb less than the clock. Printed are medians and
// ranges over the rounds, and those of the ratios to gws within each round.
//
// It needs Linux, two cores and as many open files as there are connections.
package main
