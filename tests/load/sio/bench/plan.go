//go:build linux

package main

import (
	"fmt"

	"github.com/hermod-io/hermod/tests/load/sio/report"
)

// entry is a line of the plan.
type entry struct {
	report.Line
	also []report.Line // others made of the same runs
	// tag is what a server must be able to do, see program.
	tag string
	env []string // of the server
	// args of sioload; quick is added in a quick run, smoke in a smoke.
	args, quick, smoke string
	free               bool // the server may use both cores
	// inMemory is a benchmark of package socketio that is run instead, of ours alone.
	inMemory string
}

// Arguments added to all lines.
const (
	quickArgs = " -warm 500ms -messages 5000 -dur 1s "
	smokeArgs = " -warm 0s -messages 20 -dur 50ms -n 10 -ramp 4 "
)

// plan is all that is measured, in order. The targets are those of a server on
// the same machine in the same round, medians of five rounds or more.
var plan = []entry{
	cpu("echo", "echo of 64 B, one in flight", "echo", 0.40, "-s echo -n 200"),
	cpu("echo-w10", "echo of 64 B, ten in flight", "echo", 0.15, "-s echo -n 200 -w 10"),
	cpu("echo-json", "echo of an object of 200 B", "echo", 0.50, "-s echo -n 200 -payload json"),
	cpu("echo-json1k", "echo of an object of 1 KB", "echo", 0, "-s echo -n 200 -payload json1k"),
	cpu("echo-bin", "echo of 1 KB binary", "bin", 0.35, "-s echo -n 200 -payload bin -size 1024"),
	cpu("broadcast", "broadcast to 1000, each delivery", "rooms", 0.55, "-s rooms -n 1000").at("members", 1000),
	cpu("broadcast-w8", "broadcast to 1000, eight outstanding", "rooms", 0.15, "-s rooms -n 1000 -w 8"),
	cpu("rooms", "200 rooms of 10, each delivery", "rooms", 0.45, "-s rooms -n 1000 -rooms 200 -members 10 -w 16").at("rooms", 200),
	cpu("connect", "connect until the namespace is joined", "connect", 0.35, "-s connect -n 3000"),
	cpu("polling", "echo of 64 B over long-polling", "polling", 0.50, "-s echo -polling -n 100"),
	cpu("upgrade", "from polling to WebSocket, fresh server", "polling", 0.25, "-s upgrade -n 1000 -ramp 128"),
	cpu("upgrade-warm", "the same, warm server", "polling", 0, "-s upgrade -n 1000 -ramp 128 -before 1000"),
	cpu("tls", "echo of 64 B over TLS", "all", 0, "-s echo -n 100"),
	cpu("msgpack", "echo of 64 B as MessagePack", "all", 0, "-s echo -n 200 -payload msgpack"),
	cpu("deflate", "echo of an object of 2 KB, compressed", "all", 0, "-s echo -n 200 -payload deflate"),
	{
		Line: report.Line{Label: "schedule", Title: "echoes on a schedule, 5000 a second (short runs: 2000), 99 %", Kind: report.Latency, Target: 0.50},
		tag:  "echo", args: "-s echo -n 200 -rate 5000", quick: "-rate 2000", smoke: "-rate 200",
	},
	{
		Line: report.Line{Label: "idle", Title: "idle connection, headers of a browser", Kind: report.Resident, Target: 5.5},
		also: []report.Line{{Label: "idle", Title: "the same, after a garbage collection", Kind: report.PerClient, Target: 5.5}},
		tag:  "connect", env: []string{"PING_INTERVAL=5000"}, args: "-s idle -browser -n 8000 -dur 10s", quick: "-dur 6s", smoke: "-dur 1ms",
	},
	{
		Line: report.Line{Label: "churn", Title: "27 000 connections (short runs: 9000) came and went, above a tenth of them", Kind: report.Growth, Target: 5},
		also: []report.Line{{Label: "churn", Title: "the same, above the fresh server", Kind: report.Grown, Target: 5}},
		tag:  "connect", args: "-s churn -n 27000", quick: "-n 9000", smoke: "-n 60",
	},
	{
		Line: report.Line{Label: "stall", Title: "200 MB to a room with a deaf member", Kind: report.Held, Target: 4.2},
		tag:  "polling", args: "-s stall -messages 6400 -size 32768 -w 8", quick: "-messages 6400 -warm 0s", smoke: "-messages 60",
	},
	curve("members-100", "members", 100, "-s rooms -n 100 -members 100", "-members 10"),
	curve("members-9000", "members", 9000, "-s rooms -n 9000 -members 9000", "-members 10"),
	curve("rooms-20", "rooms", 20, "-s rooms -n 1000 -rooms 20 -members 10 -w 16", "-rooms 4 -members 3 -w 4"),
	curve("rooms-10000", "rooms", 10_000, "-s rooms -n 1000 -rooms 10000 -members 10 -w 16", "-rooms 40 -members 3 -w 4"),
	inMemory("members", 100),
	inMemory("members", 1000),
	inMemory("members", 10_000),
	inMemory("members", 50_000),
	inMemory("rooms", 10),
	inMemory("rooms", 100),
	inMemory("rooms", 10_000),
	inMemory("namespaces", 1),
	inMemory("namespaces", 100),
	inMemory("namespaces", 10_000),
}

// at puts a line on a curve, too.
func (e entry) at(curve string, x float64) entry {
	e.Scale = report.Point{Curve: curve, X: x}
	return e
}

// curve is a line that is on a curve only.
func curve(label, curve string, x float64, args, smoke string) entry {
	e := cpu(label, label, "rooms", 0, args).at(curve, x)
	e.Scale.Alone, e.smoke = true, smoke
	return e
}

// inMemory is a point of BenchmarkScale.
func inMemory(curve string, n int) entry {
	e := entry{inMemory: fmt.Sprintf("^BenchmarkScale$/^%s$/^%d$", curve, n)}
	e.Label = fmt.Sprintf("memory-%s-%d", curve, n)
	e.Title = e.Label
	e.Scale = report.Point{Curve: curve, X: float64(n), Of: ", in memory", Alone: true}
	return e
}

// cpu is a line that measures processor time.
func cpu(label, title, tag string, target float64, args string) entry {
	e := entry{Line: report.Line{Label: label, Title: title, Kind: report.CPU, Target: target, Saturates: true}, tag: tag, args: args}
	switch label {
	case "connect":
		e.quick = "-n 1500"
	case "upgrade":
		e.quick = "-n 500"
	case "upgrade-warm":
		e.quick, e.smoke = "-n 500", "-before 10"
	case "broadcast", "broadcast-w8":
		e.smoke = "-members 10"
	case "rooms":
		e.smoke = "-rooms 4 -members 3 -w 4"
	case "msgpack":
		e.env = []string{"PARSER=msgpack"}
	case "deflate":
		e.env = []string{"DEFLATE=1"}
	}
	return e
}

// program is a server under test: a command in build, or another one.
type program struct {
	name    string
	command []string
	tags    []string // what it can do; "all" can everything
	needs   string   // a file without which it is left out
	module  string   // what is measured, if that is a Go module of others
}

// programs are the servers in the order of the tables; the first is ours.
func programs(build, root string) []program {
	official := root + "/tests/load/official"
	return []program{
		{name: "hermod", command: []string{build + "/benchapp"}, tags: []string{"all"}},
		{name: "socket.io", command: []string{"node", "--expose-gc", official + "/server.mjs"}, tags: []string{"all"}, needs: official + "/node_modules/socket.io/package.json"},
		{name: "hermod, raw", command: []string{build + "/benchapp", "-raw"}, tags: []string{"echo", "rooms"}},
		{name: "zishang520", command: []string{build + "/zishang520"}, tags: []string{"echo", "bin", "rooms", "connect", "polling"}, needs: build + "/zishang520", module: "github.com/zishang520/socket.io/servers/socket/v3"},
		{name: "karagenc", command: []string{build + "/karagenc"}, tags: []string{"echo", "rooms", "connect", "polling"}, needs: build + "/karagenc", module: "github.com/karagenc/socket.io-go"},
		{name: "bound", command: []string{build + "/bound"}, tags: []string{"echo", "rooms", "connect"}, needs: build + "/bound"},
	}
}
