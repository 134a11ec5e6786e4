package config

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/peterbourgon/ff/v3"
)

// lines parses the file of -config: on each line a name, a space and the value. A name
// alone switches a boolean flag on, and empties another. Of a line that has no space
// where it belongs only the name is told: what follows may be a password.
func lines(fs *flag.FlagSet) ff.ConfigFileParser {
	return func(r io.Reader, set func(name, value string) error) error {
		s := bufio.NewScanner(r)
		for s.Scan() {
			line := uncommented(s.Text())
			if line == "" {
				continue
			}
			name, value, _ := strings.Cut(line, " ")
			if i := strings.IndexAny(name, "=:\t"); i >= 0 {
				return fmt.Errorf("config: a space belongs behind %q", name[:i])
			}
			if value = strings.TrimSpace(value); value == "" && isBool(fs.Lookup(name)) {
				value = "true"
			}
			if err := set(name, value); err != nil {
				return err
			}
		}
		return s.Err()
	}
}

// uncommented is line without a comment, which begins with "#" at the start or behind
// a space: within a password it is a character.
func uncommented(line string) string {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "#") {
		return ""
	}
	line, _, _ = strings.Cut(line, " #")
	return strings.TrimSpace(line)
}

// isBool reports whether a flag needs no value.
func isBool(f *flag.Flag) bool {
	if f == nil {
		return false
	}
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}
