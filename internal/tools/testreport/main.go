// Command testreport reads the output of "go test -json" and prints a line for
// each package, everything that a failed test wrote, and at the end the number
// of tests. It fails if a test failed, was skipped, or if fewer than -min
// passed: a run that leaves tests out must not look like a green one.
//
//	go test -json ./... | testreport -name unit -min 100
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is a line of go test -json; see "go doc test2json" and "go help buildjson".
type event struct {
	Action     string
	Package    string
	ImportPath string // of the build-… actions
	Test       string
	Output     string
}

// report collects what the events say.
type report struct {
	out                   io.Writer
	passed, failed, skips int
	brokenPackages        int
	output                map[string][]string // of tests that run, by package and test
	tests                 map[string][]string // keys of output by package
}

func main() {
	name := flag.String("name", "tests", "what is tested, for the last lines")
	least := flag.Int("min", 1, "least number of tests that must pass")
	flag.Parse()
	r := report{out: os.Stdout, output: map[string][]string{}, tests: map[string][]string{}}
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
	if !r.summary(*name, *least) {
		os.Exit(1)
	}
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Action == "" {
			fmt.Fprintln(r.out, lines.Text()) // of the go command itself
			continue
		}
		r.add(e)
	}
	return lines.Err()
}

func (r *report) add(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "run":
		r.tests[e.Package] = append(r.tests[e.Package], key)
	case "output":
		r.output[key] = append(r.output[key], e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(e)
			return
		}
		r.endTest(e.Action, key)
	}
}

func (r *report) endTest(action, key string) {
	switch action {
	case "pass":
		r.passed++
	case "fail":
		r.failed++
		r.flush(key)
	case "skip":
		r.skips++
		r.flush(key)
	}
	delete(r.output, key)
}

// endPackage prints the package's own line, and all that its tests wrote which
// did not come to an end.
func (r *report) endPackage(e event) {
	for _, key := range r.tests[e.Package] {
		if e.Action == "fail" {
			r.flush(key)
		}
		delete(r.output, key)
	}
	delete(r.tests, e.Package)
	key := e.Package + " "
	if e.Action == "fail" {
		r.brokenPackages++
		r.flush(key)
	}
	for _, line := range r.output[key] {
		if strings.HasPrefix(line, "ok") {
			fmt.Fprint(r.out, line)
		}
	}
	delete(r.output, key)
}

func (r *report) flush(key string) {
	for _, line := range r.output[key] {
		fmt.Fprint(r.out, line)
	}
	delete(r.output, key)
}

func (r *report) summary(name string, least int) bool {
	ok := r.failed == 0 && r.skips == 0 && r.brokenPackages == 0
	if r.skips > 0 {
		fmt.Fprintf(r.out, "%s: %d tests were skipped; none may be\n", name, r.skips)
	}
	if r.passed < least {
		fmt.Fprintf(r.out, "%s: only %d tests passed, there must be %d\n", name, r.passed, least)
		ok = false
	}
	verdict := map[bool]string{true: "PASS", false: "FAIL"}[ok]
	fmt.Fprintf(r.out, "# %s: tests %d, pass %d, fail %d, skipped %d\n%s\n",
		name, r.passed+r.failed+r.skips, r.passed, r.failed, r.skips, verdict)
	return ok
}
