//go:build linux

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

func main() {
	o, out := flags()
	debug.SetGCPercent(800)
	runtime.LockOSThread()
	result := perform(o)
	line, err := json.Marshal(result)
	if err == nil {
		fmt.Println(string(line))
		err = save(out, line)
	}
	if err == nil && result.Error != "" {
		err = fmt.Errorf("%s", result.Error)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sioload:", err)
		os.Exit(1)
	}
}

func flags() (o options, out string) {
	flag.StringVar(&o.addr, "addr", "127.0.0.1:3000", "host:port of the server, an address of this machine")
	flag.StringVar(&o.scenario, "s", "echo", "connect, idle, echo, rooms, upgrade, churn or stall")
	flag.StringVar(&o.label, "label", "", "name of the measurement; default: the scenario")
	flag.StringVar(&o.server, "name", "server", "name of the server")
	flag.IntVar(&o.pid, "pid", 0, "process id of the server, whose processor time and memory are read; 0: neither")
	flag.IntVar(&o.round, "round", 1, "number of the round, also the seed of what is drawn")
	flag.IntVar(&o.clients, "n", 200, "clients")
	flag.IntVar(&o.ramp, "ramp", 64, "clients being connected at a time")
	flag.IntVar(&o.before, "before", -1, "of upgrade: clients that come and go before the measurement begins; -1: a tenth of -n")
	flag.IntVar(&o.window, "w", 1, "messages under way: of each client (echo), of all (rooms, stall)")
	flag.StringVar(&o.payload, "payload", "text", "of echo: text, json (200 B), json1k, bin, msgpack, deflate")
	flag.IntVar(&o.size, "size", 64, "bytes of a payload, at least 16")
	flag.Float64Var(&o.rate, "rate", 0, "echoes a second, on a schedule; 0: as fast as the window allows")
	flag.BoolVar(&o.polling, "polling", false, "echo or idle over long-polling")
	flag.BoolVar(&o.gc, "gc", false, "with -rate: ask the server, which must be ours, for the share of garbage collection")
	flag.BoolVar(&o.browser, "browser", false, "send the headers of a browser")
	flag.StringVar(&o.tlsCA, "tls", "", "use TLS and trust the certificate in this file")
	flag.IntVar(&o.rooms, "rooms", 1, "rooms")
	flag.IntVar(&o.members, "members", 1000, "members of each room")
	flag.IntVar(&o.messages, "messages", 20000, "messages before the measurement begins; of stall: messages in all")
	flag.DurationVar(&o.warm, "warm", 1500*time.Millisecond, "least time before the measurement begins")
	flag.DurationVar(&o.dur, "dur", 2*time.Second, "how long is measured; of idle: how long clients rest")
	flag.DurationVar(&o.settle, "settle", 15*time.Second, "how long the last answers may take")
	flag.StringVar(&out, "out", "", "file to which the result is added")
	flag.Parse()
	o.msgpack = o.payload == "msgpack"
	if o.label == "" {
		o.label = o.scenario
	}
	if o.before < 0 {
		o.before = o.clients / 10
	}
	if flag.NArg() > 0 || o.size < 16 || o.clients < 1 || o.window < 1 || o.ramp < 1 || o.window > 500 || o.rooms < 1 || o.members < 1 {
		flag.Usage()
		os.Exit(2)
	}
	return o, out
}

// save adds a line to a file, if there is a name of one.
func save(name string, line []byte) error {
	if name == "" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		_ = f.Close() // the first error is the one to tell
		return err
	}
	return f.Close()
}
