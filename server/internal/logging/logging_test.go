package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/internal/alloctest"
)

func TestSlogIntoLogrus(t *testing.T) {
	var out bytes.Buffer
	log, err := New(&out, "info", "auto")
	if err != nil {
		t.Fatal(err)
	}
	l := Slog(log).With("sid", "abc").WithGroup("engine").With("n", 1)
	l.Debug("below the level")
	l.Warn("odd", slog.Group("peer", "addr", "x"), "err", errors.New("broken"))
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("not one line of JSON, which is the form for what is no terminal: %v\n%s", err, &out)
	}
	for k, want := range map[string]any{
		"level": "warning", "msg": "odd", "sid": "abc", "engine.n": 1.0, "engine.peer.addr": "x", "engine.err": "broken",
	} {
		if line[k] != want {
			t.Errorf("%s is %v, want %v", k, line[k], want)
		}
	}
}

func TestLevels(t *testing.T) {
	var out bytes.Buffer
	log, err := New(&out, "debug", "text")
	if err != nil {
		t.Fatal(err)
	}
	l := Slog(log)
	l.Debug("d")
	l.Info("i")
	l.Warn("w")
	l.Error("e")
	for _, want := range []string{"level=debug", "level=info", "level=warning", "level=error"} {
		if strings.Count(out.String(), want) != 1 {
			t.Errorf("%s: %s", want, &out)
		}
	}
	if _, err := New(&out, "loud", "text"); err == nil {
		t.Error("an unknown level is accepted")
	}
}

// A line that is not logged costs no memory.
func TestDisabled(t *testing.T) {
	var out bytes.Buffer
	log, err := New(&out, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	l := Slog(log)
	if n := alloctest.PerRun(100, func() { l.Debug("x") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A line tells its day, to the millisecond, where no person looks on.
func TestTimes(t *testing.T) {
	for format, want := range map[string]string{
		"json": `"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[Z+-]`,
		"text": `time="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[Z+-]`,
	} {
		var out bytes.Buffer
		log, err := New(&out, "info", format)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("now")
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("%s: %s", format, &out)
		}
	}
}
