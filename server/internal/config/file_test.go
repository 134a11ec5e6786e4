package config

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// parseFile parses a file of this text.
func parseFile(t *testing.T, text string) (Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hermod.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Parse([]string{"-config", file}, io.Discard)
}

// A comment may stand where a value could: it is none.
func TestCommentsInFile(t *testing.T) {
	c, err := parseFile(t, "deflate # costs time\nredis-prefix # none\nlog-level debug # for now\n")
	if err != nil || !c.Deflate || c.RedisPrefix != "" || c.LogLevel != "debug" {
		t.Errorf("%v, %+v", err, c)
	}
}

// A name alone is "on" to what may be on. A prefix became "true" by it, and so did the
// address to listen on.
func TestNamesAloneInFile(t *testing.T) {
	c, err := parseFile(t, "ws-chat\r\nredis-prefix\nclient-dir\ndeflate false\n")
	if err != nil || !c.WSChat || c.RedisPrefix != "" || c.ClientDir != "" || c.Deflate {
		t.Errorf("%v, %+v", err, c)
	}
	for _, name := range []string{"addr", "path", "log-level", "queue-bytes", "ping-interval", "transports"} {
		if _, err := parseFile(t, name+"\n"); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A line that is too long is said to be: it and those behind it were passed over.
func TestLongLineInFile(t *testing.T) {
	if _, err := parseFile(t, "# "+strings.Repeat("x", 1<<17)+"\nlog-level debug\n"); err == nil {
		t.Error("no error")
	}
}
