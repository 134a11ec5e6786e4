package archtest

// floors says which packages of ours the non-test code of a package may import,
// docs/architecture.md, "Floors". A name ending in /... covers what is below it
// as well. A package that is not here is an error.
var floors = map[string][]string{
	// 0: import nothing of ours.
	"engineio/packet":    {},
	"socketio/parser":    {},
	"socketio/event":     {},
	"socketio/args":      {"socketio/event", "socketio/parser"},
	"internal/alloctest": {},
	"internal/await":     {},
	"internal/archtest":  {},
	"internal/certtest":  {},
	"internal/bufpool":   {},
	"internal/formquery": {},
	"internal/httplist":  {},
	"internal/loglimit":  {},
	"internal/shrink":    {},
	"internal/ctxend":    {},
	"internal/usercode":  {},
	"internal/testnet":   {},
	"internal/polltest":  {},
	"internal/proc":      {},

	"internal/redistest":     {"internal/proc"},
	"internal/mormotvectors": {},
	"internal/wheel":         {},

	// 1
	"wscore":              machinery,
	"wscore/chat":         {"wscore", "internal/shrink"},
	"wscore/ephemeral":    {"wscore"},
	"wscore/noise":        {"wscore"},
	"wscore/rest":         {"wscore", "wscore/rest/synlz", "wscore/rest/weakaes"},
	"wscore/rest/synlz":   {},
	"wscore/rest/weakaes": {},

	// 2
	"engineio":           with(machinery, "engineio/packet", "wscore"),
	"engineio/eioclient": {"engineio/packet", "wscore"},

	// 2½
	"adapters":              {"socketio/parser"},
	"adapters/memory":       {"adapters", "internal/shrink", "socketio/parser"},
	"adapters/adaptertest":  {"adapters", "socketio/parser"},
	"adapters/cluster":      {"adapters", "adapters/cluster/wire", "adapters/memory", "engineio", "internal/bufpool", "socketio/parser"},
	"adapters/cluster/wire": {"socketio/parser"},
	"adapters/redisadapter": {"adapters", "adapters/cluster", "adapters/cluster/wire", "adapters/memory", "adapters/redisadapter/internal/link", "socketio/args", "socketio/event", "socketio/parser"},

	"adapters/redisadapter/internal/link": {},

	// 3
	"socketio":           with(machinery, "internal/ctxend", "internal/usercode", "adapters", "adapters/memory", "engineio", "engineio/packet", "socketio/args", "socketio/event", "socketio/parser"),
	"socketio/sioclient": {"internal/ctxend", "internal/usercode", "engineio/eioclient", "socketio/args", "socketio/event", "socketio/parser"},
	"socketio/siotest":   {"adapters", "adapters/cluster", "socketio", "socketio/args", "socketio/event", "socketio/sioclient", "engineio", "engineio/eioclient", "wscore", "internal/testnet"},

	// 5
	"server/...": {"..."},
	"examples/...": {
		"wscore/...", "engineio/...", "socketio/...", "adapters/...",
	},
	"tests/...": {"..."},
}

// machinery is what every floor above 0 may use.
var machinery = []string{"internal/bufpool", "internal/formquery", "internal/httplist", "internal/loglimit", "internal/shrink", "internal/wheel"}

func with(list []string, more ...string) []string {
	return append(append([]string(nil), list...), more...)
}

// modules says in which packages a module of others may be used; "tests" means
// test files and what is below tests/. Test files may use every module here. It
// is the table of docs/dependencies.md, which must say the same.
var modules = map[string][]string{
	"github.com/flynn/noise":              {"wscore/noise"},
	"github.com/go-json-experiment/json":  {"socketio", "socketio/parser"},
	"github.com/gorilla/mux":              {"server", "examples"},
	"github.com/klauspost/compress":       {"wscore", "engineio"},
	"github.com/peterbourgon/ff":          {"server"},
	"github.com/prometheus/client_golang": {"server"},
	"github.com/prometheus/common":        {"tests"},
	"github.com/redis/go-redis":           {"adapters/redisadapter", "adapters/redisadapter/internal/link", "examples", "internal/redistest", "server", "tests"},
	"github.com/rs/cors":                  {"engineio", "server"},
	"github.com/sirupsen/logrus":          {"server"},
	"github.com/tinylib/msgp":             {"adapters/cluster/wire", "socketio/parser"},
	"golang.org/x/net":                    {"wscore"},
	"golang.org/x/time":                   {"engineio", "internal/loglimit", "socketio"},
	"golang.org/x/term":                   {"server"},
	"gopkg.in/yaml.v3":                    {"tests"},
}

// later are the modules that have their place but are not used yet, so that
// docs/dependencies.md does not name them.
var later = map[string][]string{}

// libraries are the folders that other programs import: no output, no exit.
var libraries = []string{"wscore/...", "engineio/...", "socketio/...", "adapters/..."}

const (
	maxFile     = 500 // lines
	maxFunction = 60
	maxSwitch   = 120
)

// wireSwitches are the functions that may reach maxSwitch because they are one
// switch over what comes from the wire; by package and name.
var wireSwitches = map[string]bool{}
