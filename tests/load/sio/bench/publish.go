//go:build linux

package main

import (
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// The section of docs/benchmarks.md that is written here stands between these.
const (
	sectionBegin = "<!-- made by make bench, see tests/load/sio/bench -->\n"
	sectionEnd   = "<!-- end of what make bench made -->\n"
)

// publish writes the tables to w, and into the documentation if the whole plan
// was run or if that is wanted.
func (b *bench) publish(w io.Writer) error {
	text, err := b.text()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, text); err != nil {
		return err
	}
	if !b.o.doc && (b.o.quick || b.o.only != "" || b.o.servers != "" || b.o.from != "") {
		return nil
	}
	pictures := filepath.Join(b.o.root, "docs", "bench")
	if err := os.MkdirAll(pictures, 0o755); err != nil {
		return err
	}
	all := b.set.Pictures()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var svg strings.Builder
		if err := all[name].SVG(&svg); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(pictures, name), []byte(svg.String()), 0o644); err != nil {
			return err
		}
		text += fmt.Sprintf("\n![%s](bench/%s)\n", all[name].Caption(), name)
	}
	path := filepath.Join(b.o.root, "docs", "benchmarks.md")
	doc, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	fresh, err := replaceSection(string(doc), text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(fresh), 0o644)
}

// replaceSection puts text between the two lines.
func replaceSection(doc, text string) (string, error) {
	before, rest, ok := strings.Cut(doc, sectionBegin)
	_, after, ok2 := strings.Cut(rest, sectionEnd)
	if !ok || !ok2 {
		return "", errors.New("the lines around the section are missing")
	}
	return before + sectionBegin + "\n" + text + "\n" + sectionEnd + after, nil
}

// text is the section: where, with what, how, and the tables.
func (b *bench) text() (string, error) {
	var t strings.Builder
	rounds := 0
	for _, r := range b.set.Results {
		rounds = max(rounds, r.Round)
	}
	kind := "runs of their full length"
	if b.o.quick {
		kind = "short runs"
	}
	fmt.Fprintf(&t, "%s; %s; load of the machine at the beginning: %s. Command: `make bench BENCHARGS=%q`, %s, %d rounds in which the servers take turns, medians with the range in brackets. Ratios are made within a round.\n\n",
		b.began.Format(time.DateOnly), machine(), b.load, strings.Join(os.Args[1:], " "), kind, rounds)
	fmt.Fprintf(&t, "Versions: %s.\n\n", strings.Join(b.versions(), "; "))
	var table strings.Builder
	if err := b.set.Markdown(&table); err != nil {
		return "", err
	}
	return t.String() + table.String(), nil
}

// machine describes where this runs.
func machine() string {
	model := field("/proc/cpuinfo", "model name")
	memory := field("/proc/meminfo", "MemTotal")
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease") // "" is told as well
	var kb float64
	_, _ = fmt.Sscan(memory, &kb) // 0 is told as well
	return fmt.Sprintf("%s, %d cores, %.0f GiB, Linux %s", model, runtime.NumCPU(), kb/(1<<20), strings.TrimSpace(string(kernel)))
}

// field returns a value of a file like /proc/cpuinfo, the first of its name.
func field(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}

// loadAverage is that of the last minute.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// versions tells of what the servers are made.
func (b *bench) versions() (list []string) {
	list = append(list, "Go "+strings.TrimPrefix(runtime.Version(), "go"))
	for _, p := range programs(b.o.build, b.o.root) {
		switch {
		case !slices.Contains(b.set.Servers, p.name):
		case p.name == base:
			node, err := exec.Command("node", "--version").Output()
			if err != nil {
				node = []byte("unknown")
			}
			list = append(list, "Node "+strings.TrimPrefix(strings.TrimSpace(string(node)), "v"))
			for _, name := range []string{"socket.io", "ws"} {
				list = append(list, name+" "+b.npm(name))
			}
		case p.module != "":
			list = append(list, b.module(p.name, p.module))
		}
	}
	return list
}

// npm returns the version of an installed package.
func (b *bench) npm(name string) string {
	var p struct{ Version string }
	text, err := os.ReadFile(filepath.Join(b.o.root, "tests/load/official/node_modules", name, "package.json"))
	if err != nil || json.Unmarshal(text, &p) != nil {
		return "unknown"
	}
	return p.Version
}

// module returns the version of a module in a program.
func (b *bench) module(program, path string) string {
	info, err := buildinfo.ReadFile(filepath.Join(b.o.build, program))
	if err == nil {
		for _, d := range info.Deps {
			if d.Path == path {
				return path + " " + d.Version
			}
		}
	}
	return path + " unknown"
}
