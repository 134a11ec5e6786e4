//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// times is what the kernel has given a process, in nanoseconds: on a core, and
// waiting for one. See sched-stats.rst of the kernel.
type times struct{ on, waited int64 }

// timesOf adds up the threads of a process, those that have ended not included:
// the programs measured keep theirs.
func timesOf(pid int) (t times, err error) {
	if pid == 0 {
		return t, nil
	}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return t, err
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // the thread ended meanwhile
		}
		var one times
		if _, err := fmt.Sscan(string(text), &one.on, &one.waited); err != nil {
			return t, fmt.Errorf("%s: %w", f, err)
		}
		t.on += one.on
		t.waited += one.waited
	}
	if t.on == 0 {
		return t, fmt.Errorf("process %d: gone, or the kernel keeps no schedstat", pid)
	}
	return t, nil
}

// rssOf is the resident set of a process in bytes. See proc(5).
func rssOf(pid int) (int64, error) {
	if pid == 0 {
		return 0, nil
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	var size, pages int64
	_, err = fmt.Sscan(string(text), &size, &pages)
	return pages * int64(os.Getpagesize()), err
}

// stolen is the time that the host took from this machine, in nanoseconds, 0 if
// it does not say.
func stolen() int64 {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 {
		return 0
	}
	ticks, _ := strconv.ParseInt(fields[8], 10, 64) // 0 is right for what is no number
	return ticks * 1e7                              // USER_HZ is 100
}
