// Package proc starts foreign programs for tests: servers, Node, browsers.
//
//	srv := proc.Start(t, proc.Command{Path: proc.Build(t, "./server"), Args: []string{"-addr", "127.0.0.1:0"}})
//	addr := srv.WaitFor(`listening on (\S+)`, time.Minute)[1]
//
// The type to know is [Process]. Each runs in a process group and an empty
// directory of its own, ends with the test whatever happens (on Linux also when
// the test is killed), and when the test fails its output is shown. A program that
// is no test uses [Launch].
package proc
