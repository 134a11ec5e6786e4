// Reports counts what an index.json of the Autobahn test suite says of an agent
// and fails unless all 517 cases passed, three of them as informational:
//
//	reports reports/servers/index.json hermod
package main
