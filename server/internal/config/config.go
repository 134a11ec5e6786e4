package config

import (
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3"
	"github.com/rs/cors"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/wscore"
)

// Prefix begins the environment variable of every flag: -ping-interval is
// HERMOD_PING_INTERVAL.
const Prefix = "HERMOD"

// Config is what the program can be told. Parse fills it in.
type Config struct {
	File            string
	Addr            string
	MetricsAddr     string
	TLSCert         string
	TLSKey          string
	LogLevel        string
	LogFormat       string
	ShutdownTimeout time.Duration
	ClientDir       string
	Healthcheck     bool
	Version         bool

	Path              string
	PingInterval      time.Duration
	PingTimeout       time.Duration
	UpgradeTimeout    time.Duration
	ConnectTimeout    time.Duration
	MaxHTTPBufferSize int64
	Transports        string
	NoUpgrades        bool
	CORSOrigins       string
	QueueBytes        int
	QueuePackets      int
	DropNewest        bool
	Deflate           bool
	AllowEIO3         bool
	MaxConnections    int
	MaxPerIP          int
	TrustedProxies    string
	MaxHandshakes     float64

	ChatHistory int
	ChatMaxFile int

	WSChat bool
	WSREST bool

	Recovery         time.Duration
	Adapter          string
	RedisURL         string
	RedisPrefix      string
	RedisBatches     bool
	SessionsAnywhere bool
	ClusterKey       string
}

// Parse reads args (without the program's name), the environment and the file of
// -config; of those that say the same the first counts. The help goes to out. The
// error is flag.ErrHelp after -h.
func Parse(args []string, out io.Writer) (Config, error) {
	var c Config
	fs := flag.NewFlagSet("hermod", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.Usage = func() { usage(fs) }
	c.program(fs)
	c.engine(fs)
	c.chat(fs)
	c.sockets(fs)
	c.cluster(fs)
	if err := ff.Parse(fs, args, ff.WithEnvVarPrefix(Prefix), ff.WithConfigFileFlag("config"), ff.WithConfigFileParser(lines(fs))); err != nil {
		return Config{}, err
	}
	if n := fs.NArg(); n > 0 {
		return Config{}, fmt.Errorf("config: %q is no flag", fs.Arg(0))
	}
	return c, c.validate()
}

func usage(fs *flag.FlagSet) {
	fmt.Fprintf(fs.Output(), "hermod serves Socket.IO clients, and a chat page at /.\n\n"+
		"Each flag can also be given as an environment variable, -ping-interval 20s as\n%[1]s_PING_INTERVAL=20s, or in the file of -config, as a line \"ping-interval 20s\".\n"+
		"The command line, which other users of the machine see, is no place for passwords\n"+
		"and keys: %[1]s_REDIS_URL, %[1]s_CLUSTER_KEY and the file are.\n\n", Prefix)
	fs.PrintDefaults()
}

func (c *Config) program(fs *flag.FlagSet) {
	fs.StringVar(&c.File, "config", "", "`file` with further flags: on each line a name without the hyphen, a space and the value; a name alone is true, or empty; # begins a comment; what the command line or the environment says counts instead")
	fs.StringVar(&c.Addr, "addr", ":3000", "`host:port` to listen on; port 0 takes a free one")
	fs.StringVar(&c.MetricsAddr, "metrics-addr", "", "`host:port` to serve GET /metrics on, for Prometheus; whoever reaches it reads it; empty: none")
	fs.StringVar(&c.TLSCert, "tls-cert", "", "`file` of the certificate and its chain (PEM), for https and wss, with -tls-key; a renewed one is taken without a restart; empty: no TLS")
	fs.StringVar(&c.TLSKey, "tls-key", "", "`file` of its private key (PEM)")
	fs.StringVar(&c.LogLevel, "log-level", "info", "least `level` that is logged: debug, info, warn, error")
	fs.StringVar(&c.LogFormat, "log-format", "auto", "`form` of the log: text, json, or auto (text on a terminal)")
	fs.DurationVar(&c.ShutdownTimeout, "shutdown-timeout", 10*time.Second, "`time` that connections have to end after SIGTERM, SIGINT or SIGHUP")
	fs.StringVar(&c.ClientDir, "client-dir", "server/web/dist", "`folder` of the official browser client (socket.io.js and its siblings)")
	fs.BoolVar(&c.Healthcheck, "healthcheck", false, "ask the server at -addr whether it is ready, and exit with 0 or 1")
	fs.BoolVar(&c.Version, "version", false, "print the version of the program and of the Go that built it, and exit")
}

func (c *Config) engine(fs *flag.FlagSet) {
	fs.StringVar(&c.Path, "path", "/socket.io", "`path` of the Socket.IO endpoint")
	fs.DurationVar(&c.PingInterval, "ping-interval", 25*time.Second, "`time` between two heartbeats")
	fs.DurationVar(&c.PingTimeout, "ping-timeout", 20*time.Second, "`time` a client has to answer one")
	fs.DurationVar(&c.UpgradeTimeout, "upgrade-timeout", 10*time.Second, "`time` an upgrade to WebSocket may take")
	fs.DurationVar(&c.ConnectTimeout, "connect-timeout", 45*time.Second, "`time` a connection may last without a namespace")
	fs.Int64Var(&c.MaxHTTPBufferSize, "max-http-buffer-size", 1_000_000, "largest message or POST body in `bytes`")
	fs.StringVar(&c.Transports, "transports", "polling,websocket", "`list` of transports")
	fs.BoolVar(&c.NoUpgrades, "no-upgrades", false, "do not offer the upgrade from polling to WebSocket")
	fs.StringVar(&c.CORSOrigins, "cors-origin", "", "`list` of origins whose pages may connect, * for all; in each one * stands for anything; empty: pages of this host only")
	fs.IntVar(&c.QueueBytes, "queue-bytes", 4<<20, "`bytes` that may wait for one client")
	fs.IntVar(&c.QueuePackets, "queue-packets", 4096, "`packets` that may wait for one client")
	fs.BoolVar(&c.DropNewest, "queue-drop-newest", false, "drop what finds the queue full, instead of cutting the client off")
	fs.BoolVar(&c.Deflate, "deflate", false, "compress WebSocket messages of 1 KiB and more for clients that offer it")
	fs.BoolVar(&c.AllowEIO3, "allow-eio3", false, "serve clients of before version 3 as well (Engine.IO protocol 3)")
	fs.IntVar(&c.MaxConnections, "max-connections", 0, "largest `number` of open connections, those of Socket.IO and plain WebSockets together, 0 for any")
	fs.IntVar(&c.MaxPerIP, "max-connections-per-ip", 0, "largest `number` of them from one address, 0 for any; behind a proxy see -trusted-proxies")
	fs.StringVar(&c.TrustedProxies, "trusted-proxies", "", "`list` of addresses and networks (10.0.0.0/8) of proxies, whose word about a client's address counts; empty: the address is the connection's")
	fs.Float64Var(&c.MaxHandshakes, "max-handshakes", 0, "largest `number` of new ones a second, 0 for any")
}

func (c *Config) chat(fs *flag.FlagSet) {
	fs.IntVar(&c.ChatHistory, "chat-history", 50, "`messages` the chat remembers of each room")
	fs.IntVar(&c.ChatMaxFile, "chat-max-file", 512<<10, "largest picture or file of the chat in `bytes`")
}

func (c *Config) sockets(fs *flag.FlagSet) {
	fs.BoolVar(&c.WSChat, "ws-chat", false, "serve a plain WebSocket chat at /ws/chat (subprotocol chat, or none)")
	fs.BoolVar(&c.WSREST, "ws-rest", false, "serve REST over WebSocket at /ws/rest (subprotocols synopsejson, synopsebin, synopsebinary)")
}

// Origins are those of -cors-origin.
func (c *Config) Origins() []string { return list(c.CORSOrigins) }

// SocketIO returns the settings of the library. ClientFiles is set if the
// folder is there.
func (c *Config) SocketIO() socketio.Config {
	s := socketio.Config{
		ConnectTimeout: c.ConnectTimeout,
		ClientFiles:    c.clientFiles(),
		Engine: engineio.Config{
			Path:              c.Path,
			PingInterval:      c.PingInterval,
			PingTimeout:       c.PingTimeout,
			UpgradeTimeout:    c.UpgradeTimeout,
			MaxHTTPBufferSize: c.MaxHTTPBufferSize,
			Transports:        list(c.Transports),
			NoUpgrades:        c.NoUpgrades,
			AllowEIO3:         c.AllowEIO3,
			Queue:             engineio.Queue{Bytes: c.QueueBytes, Packets: c.QueuePackets},
			Limits:            engineio.Limits{Connections: c.MaxConnections, PerIP: c.MaxPerIP, Handshakes: c.MaxHandshakes, ClientIP: c.clientIP()},
		},
	}
	if c.Recovery > 0 {
		s.Recovery = &socketio.Recovery{MaxDisconnection: c.Recovery}
	}
	if c.Deflate {
		s.Engine.PerMessageDeflate = new(wscore.Deflate)
	}
	if c.DropNewest {
		s.Engine.Queue.OnFull = engineio.DropNewest
	}
	if origins := list(c.CORSOrigins); len(origins) > 0 {
		s.Engine.CORS = &cors.Options{AllowedOrigins: origins, AllowCredentials: !slices.Contains(origins, "*")}
	} else {
		s.Engine.AllowRequest = engineio.SameOrigin
	}
	return s
}

// clientFiles is the folder of the browser client, or nil if it is not there.
func (c *Config) clientFiles() fs.FS {
	if info, err := os.Stat(c.ClientDir); err != nil || !info.IsDir() {
		return nil
	}
	return os.DirFS(c.ClientDir)
}

// list splits a comma-separated list.
func list(s string) []string {
	var items []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
