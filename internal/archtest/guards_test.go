package archtest

import (
	"strings"
	"testing"
)

// long returns a function of n lines.
func long(name string, n int) string {
	return "\nfunc " + name + "() {\n" + strings.Repeat("\t_ = 0\n", n-2) + "}\n"
}

// p begins every planted file.
const p = "package p\n"

// planted are files made up to break one guard each, or to come close to it
// without doing so (fault "").
var planted = []struct{ guard, path, text, fault string }{
	{"floors", "wscore/x.go", p + `import _ "` + module + `/engineio"`, "may not import engineio"},
	{"floors", "wscore/x.go", p + `import _ "` + module + `/internal/wheel"`, ""},
	{"floors", "wscore/x.go", p + `import _ "` + module + `/internal/testnet"`, "may not import internal/testnet"},
	{"floors", "wscore/x_test.go", p + `import _ "` + module + `/internal/testnet"`, ""},
	{"floors", "adapters/memory/x.go", p + `import _ "` + module + `/socketio"`, "may not import socketio"},
	{"floors", "socketio/parser/x.go", p + `import _ "` + module + `/internal/bufpool"`, "may not import internal/bufpool"},
	{"floors", "examples/chat/x.go", p + `import _ "` + module + `/socketio"`, ""},
	{"floors", "examples/chat/x.go", p + `import _ "` + module + `/internal/wheel"`, "may not import internal/wheel"},
	{"floors", "examples/chat/x.go", p + `import _ "` + module + `/examples/chat/page"`, ""},
	{"floors", "server/internal/app/x.go", p + `import _ "` + module + `/server/internal/config"`, ""},
	{"floors", "socketio/x.go", p + `import _ "` + module + `/server/internal/config"`, "may not import server"},
	{"floors", "wscore/brandnew/x.go", p, "no line in the table"},

	{"modules", "socketio/x.go", p + `import _ "github.com/redis/go-redis/v9"`, "only for adapters/redisadapter, adapters/redisadapter/internal/link, examples, internal/redistest, server"},
	{"modules", "adapters/redisadapter/x.go", p + `import _ "github.com/redis/go-redis/v9"`, ""},
	{"modules", "engineio/x.go", p + `import _ "github.com/gorilla/mux"`, "only for server, examples"},
	{"modules", "server/internal/routes/x.go", p + `import _ "github.com/gorilla/mux"`, ""},
	{"modules", "socketio/x.go", p + `import _ "github.com/klauspost/compress/flate"`, "only for wscore, engineio"},
	{"modules", "engineio/x.go", p + `import _ "gopkg.in/yaml.v3"`, "only for tests"},
	{"modules", "engineio/x_test.go", p + `import _ "gopkg.in/yaml.v3"`, ""},
	{"modules", "tests/load/x.go", p + `import _ "gopkg.in/yaml.v3"`, ""},
	{"modules", "engineio/x_test.go", p + `import _ "github.com/stretchr/testify/assert"`, "no module of the table"},
	{"modules", "engineio/x.go", p + `import _ "net/http"`, ""},

	{"libraries", "wscore/x.go", p + `import "fmt"` + "\nfunc f() { fmt.Println() }", "fmt.Println in a library"},
	{"libraries", "wscore/x.go", p + `import pr "fmt"` + "\nfunc f() { pr.Printf(``) }", "fmt.Printf in a library"},
	{"libraries", "wscore/x.go", p + `import "fmt"` + "\nfunc f() string { return fmt.Sprint() }", ""},
	{"libraries", "adapters/memory/x.go", p + `import "log"` + "\nfunc f() { log.Print() }", "log.Print in a library"},
	{"libraries", "engineio/x.go", p + `import "log/slog"` + "\nfunc f() { slog.Info(``) }", "the global logger"},
	{"libraries", "engineio/x.go", p + `import "log/slog"` + "\nvar l *slog.Logger", ""},
	{"libraries", "engineio/x.go", p + `import "os"` + "\nvar w = os.Stdout", "os.Stdout in a library"},
	{"libraries", "socketio/x.go", p + "func f() { println(1) }", "println in a library"},
	{"libraries", "server/x.go", p + `import "os"` + "\nvar w = os.Stdout", ""},

	{"init", "internal/wheel/x.go", p + "func init() {}", "an init function"},
	{"init", "internal/wheel/x.go", p + "type t int\nfunc (t) init() {}", ""},

	{"lengths", "wscore/x.go", p + long("f", 60), ""},
	{"lengths", "wscore/x.go", p + long("f", 61), "f has 61 lines, at most 60"},
	{"lengths", "wscore/x.go", p + long("wire", 120), ""},
	{"lengths", "wscore/x.go", p + long("wire", 121), "wire has 121 lines, at most 120"},
	{"lengths", "wscore/x.go", p + strings.Repeat("\n", 499), ""},
	{"lengths", "wscore/x.go", p + strings.Repeat("\n", 500), "501 lines, at most 500"},

	{"skips", "wscore/x_test.go", p + "func f(t T) { t.Skip() }", "a call of Skip"},
	{"skips", "tests/load/x.go", p + "func f(t T) { t.Skipf(``) }", "a call of Skipf"},
	{"skips", "wscore/x_test.go", p + `import "testing"` + "\nfunc f() bool { return testing.Short() }", "testing.Short"},

	{"sleeps", "wscore/x_test.go", p + `import "time"` + "\nfunc f() { time.Sleep(1) }", "time.Sleep in a test"},
	{"sleeps", "wscore/x_test.go", p + `import ("time"; _ "testing/synctest")` + "\nfunc f() { time.Sleep(1) }", ""},

	{"docs", "wscore/x.go", "// Package p is undocumented: this is not doc.go.\n" + p, "no doc.go"},
	{"docs", "wscore/doc.go", p, "no doc.go with a package comment"},
	{"docs", "wscore/doc.go", "// Package p is a package.\n" + p, ""},
	{"docs", "server/main.go", "// Command server serves.\npackage main", ""},

	{"comments", "wscore/x.go", p + "func F() {}", "F has no comment"},
	{"comments", "wscore/x.go", p + "// T is.\ntype T int\nfunc (*T) Error() string", "Error has no comment"},
	{"comments", "wscore/x.go", p + "type t int\nfunc (t) Error() string", ""},
	{"comments", "wscore/x.go", p + "// T is.\ntype T[A, B any] int\nfunc (T[A, B]) Error() string", "Error has no comment"},
	{"comments", "adapters/x.go", p + "type T int", "T has no comment"},
	{"comments", "engineio/x.go", p + "// T is.\ntype T struct {\n\tA int // is\n\tB, C int\n}", "T.C has no comment"},
	{"comments", "socketio/x.go", p + "// T is.\ntype T interface{ M() }", "T.M has no comment"},
	{"comments", "socketio/x.go", p + "// All.\nconst (\n\tA = 1 // is\n\tB = 2\n)", "B has no comment of its own"},
	{"comments", "socketio/x.go", p + "// A is.\nconst A = 1", ""},
	{"comments", "socketio/x_test.go", p + "func F() {}", ""},
	{"comments", "wscore/x.go", p + `import "` + module + `/internal/wheel"` + "\n// F is.\nfunc F(*wheel.Timer) {}", "a type of a package below internal/"},
	{"comments", "wscore/x.go", p + `import "` + module + `/internal/wheel"` + "\ntype t int\nfunc (t) F(*wheel.Timer) {}", ""},
}

// Each guard finds what it is for, in a file made up to break it, and leaves
// what is close to it alone.
func TestGuards(t *testing.T) {
	wireSwitches["wscore.wire"] = true
	defer delete(wireSwitches, "wscore.wire")

	for _, c := range planted {
		faults := strings.Join(guards[c.guard]([]*source{parse(t, c.path, c.text)}), "\n")
		if c.fault == "" && faults != "" || !strings.Contains(faults, c.fault) {
			t.Errorf("%s on %s, %.200q: found %q, want %q", c.guard, c.path, c.text, faults, c.fault)
		}
	}
}
