// Package redistest starts Redis for tests: one server, a Cluster, or a master
// under Sentinel, each on free ports of the loopback interface and gone with
// the test.
//
//	r := redistest.Start(t, redistest.Options{})
//	client := r.Client()
//	r.Kill()
//	r.Restart()
//
// The type to know is [Server]; [Proxy] stands between it and a client and cuts,
// silences or delays connections. The program redis-server must be installed;
// a test fails without it and says how. It is redis-server itself that becomes
// a sentinel. Logs are shown when the test fails.
package redistest
