package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
)

func main() {
	lib := flag.String("lib", "hermod", "the library: hermod, gws, coder")
	deflate := flag.String("deflate", off, "permessage-deflate: off, no-takeover, takeover")
	flag.IntVar(&runtime.MemProfileRate, "memprofilerate", 0, "bytes allocated per sample of the heap profile; 0 is none")
	flag.Parse()
	if err := run(*lib, *deflate); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

// The values of -deflate.
const (
	off        = "off"
	noTakeover = "no-takeover"
	takeover   = "takeover"
)

// threshold is the smallest message that all of them deflate, in bytes.
const threshold = 512

// run serves until the standard input ends.
func run(lib, deflate string) error {
	mux, err := routes(lib, deflate)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- http.Serve(ln, mux) }() // ends with the process
	fmt.Println(ln.Addr())
	ended := make(chan error, 1)
	go func() { ended <- obey() }() // likewise
	select {
	case err = <-failed:
	case err = <-ended:
	}
	return err
}

// routes are the two paths, served by a library.
func routes(lib, deflate string) (http.Handler, error) {
	if deflate != off && deflate != noTakeover && deflate != takeover {
		return nil, fmt.Errorf("-deflate %s is unknown", deflate)
	}
	mux := http.NewServeMux()
	switch lib {
	case "hermod":
		hermodRoutes(mux, deflate)
	case "gws":
		gwsRoutes(mux, deflate)
	case "coder":
		coderRoutes(mux, deflate)
	default:
		return nil, fmt.Errorf("-lib %s is unknown", lib)
	}
	return mux, nil
}

// obey carries out the commands of the standard input.
func obey() error {
	var profile *os.File
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		command, arg, _ := strings.Cut(in.Text(), " ")
		var err error
		switch {
		case command == "gc":
			err = json.NewEncoder(os.Stdout).Encode(collect())
		case command == "heap":
			err = writeHeap(arg)
			fmt.Println("ok")
		case command == "profile" && arg != "":
			if profile, err = os.Create(arg); err == nil {
				err = pprof.StartCPUProfile(profile)
			}
			fmt.Println("ok")
		case command == "profile" && profile != nil:
			pprof.StopCPUProfile()
			err = profile.Close()
			fmt.Println("ok")
		default:
			err = fmt.Errorf("command %q is unknown", in.Text())
		}
		if err != nil {
			return err
		}
	}
	return in.Err()
}

// writeHeap writes the heap profile, after garbage collection.
func writeHeap(file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	debug.FreeOSMemory()
	return errors.Join(pprof.WriteHeapProfile(f), f.Close())
}

// collect returns the memory in use after garbage collection, in bytes.
func collect() map[string]uint64 {
	debug.FreeOSMemory() // collects; twice, since pools let go at the second
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return map[string]uint64{"heap": m.HeapInuse, "live": m.HeapAlloc, "stack": m.StackInuse, "goroutines": uint64(runtime.NumGoroutine())}
}
