package socketio_test

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
)

// officialOptions are the options of engine.io 6.6.12 and socket.io 4.8.4,
// and the events of their engine that are hooks here.
var officialOptions = strings.Fields(`
	path addTrailingSlash destroyUpgrade destroyUpgradeTimeout
	pingInterval pingTimeout upgradeTimeout maxHttpBufferSize allowRequest
	transports allowUpgrades perMessageDeflate httpCompression wsEngine
	initialPacket cookie cors allowEIO3
	serveClient adapter parser connectTimeout connectionStateRecovery
	cleanupEmptyChildNamespaces
	generateId initial_headers headers connection_error upgrade`)

// TestOptionsTable holds docs/compatibility.md against the Config structs: each
// official option has its field or its reason, each field of ours is named.
func TestOptionsTable(t *testing.T) {
	options, own := readOptionsTables(t)
	fields := configFields()
	for _, o := range officialOptions {
		field, ok := options[o]
		switch {
		case !ok:
			t.Errorf("official option %q has no row", o)
		case field.name == "-" && field.note == "":
			t.Errorf("official option %q has neither field nor reason", o)
		case field.name != "-" && !fields[field.name]:
			t.Errorf("official option %q: Config has no field %q", o, field.name)
		}
		delete(options, o)
	}
	for o := range options {
		t.Errorf("row %q is no official option", o)
	}
	named := map[string]bool{}
	all, _ := readOptionsTables(t)
	for _, f := range all {
		named[f.name] = true
	}
	for _, f := range own {
		if !fields[f] {
			t.Errorf("table of own fields: Config has no field %q", f)
		}
		named[f] = true
	}
	for _, f := range slices.Sorted(maps.Keys(fields)) {
		if !named[f] {
			t.Errorf("Config field %s is not in docs/compatibility.md", f)
		}
	}
}

type optionRow struct{ name, note string }

// readOptionsTables returns the rows of the three-column table by option, and
// the fields named in the two-column one.
func readOptionsTables(t *testing.T) (options map[string]optionRow, own []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## Options\n")
	if !ok {
		t.Fatal("docs/compatibility.md has no section Options")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	options = map[string]optionRow{}
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case !strings.HasPrefix(line, "|"), strings.HasPrefix(line, "|---"):
		case cells[0] == "official option", cells[0] == "field":
		case len(cells) == 3:
			options[cells[0]] = optionRow{cells[1], cells[2]}
		case len(cells) == 2:
			for f := range strings.SplitSeq(cells[0], ",") {
				own = append(own, strings.TrimSpace(f))
			}
		}
	}
	return options, own
}

func configFields() map[string]bool {
	fields := map[string]bool{}
	add := func(prefix string, t reflect.Type) {
		for field := range t.Fields() {
			fields[prefix+field.Name] = true
		}
	}
	add("", reflect.TypeFor[socketio.Config]())
	add("Engine.", reflect.TypeFor[engineio.Config]())
	return fields
}
