package config

import (
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/server/internal/nodes"
)

func TestDefaults(t *testing.T) {
	c, err := Parse(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s := c.SocketIO()
	if c.Addr != ":3000" || s.Engine.PingInterval != 25*time.Second || s.Engine.PingTimeout != 20*time.Second ||
		s.ConnectTimeout != 45*time.Second || s.Engine.MaxHTTPBufferSize != 1_000_000 {
		t.Errorf("%+v", c)
	}
	if s.Engine.AllowRequest == nil || s.Engine.CORS != nil {
		t.Error("by default only pages of the same host may connect")
	}
}

// A flag wins over its environment variable.
func TestFlagsAndEnvironment(t *testing.T) {
	t.Setenv("HERMOD_ADDR", "127.0.0.1:1")
	t.Setenv("HERMOD_PING_INTERVAL", "3s")
	c, err := Parse([]string{"-addr", "127.0.0.1:2", "-queue-drop-newest", "-cors-origin", "https://a.example, https://b.example"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s := c.SocketIO()
	if c.Addr != "127.0.0.1:2" || s.Engine.PingInterval != 3*time.Second || s.Engine.Queue.OnFull != engineio.DropNewest {
		t.Errorf("%+v", c)
	}
	if s.Engine.CORS == nil || len(s.Engine.CORS.AllowedOrigins) != 2 || s.Engine.AllowRequest != nil {
		t.Errorf("CORS: %+v", s.Engine.CORS)
	}
}

func TestRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-nonsense"},
		{"stray"},
		{"-log-format", "xml"},
		{"-path", "socket.io"},
		{"-path", "/"},
		{"-path", "/a{b}"},
		{"-path", "/a{b"},
		{"-path", "/a?b"},
		{"-path", "/a#b"},
		{"-path", "/a%20b"},
		{"-path", "/a b"},
		{"-log-level", "loud"},
		{"-log-level", "fatal"},
		{"-cors-origin", "a.example"},
		{"-cors-origin", "https://a.example,https://b.example/"},
		{"-cors-origin", "https://"},
		{"-cors-origin", "a.example*"},
		{"-cors-origin", "https://*.a.example:*"},
		{"-transports", "carrier-pigeon"},
		{"-shutdown-timeout", "0s"},
		{"-chat-history", "0"},
		{"-chat-max-file", "800000"},
		{"-addr", ""},
		{"-tls-cert", "cert.pem"},
		{"-tls-key", "key.pem"},
		{"-transports", " , "},
		{"-adapter", "pigeon"},
		{"-recovery", "-1s"},
		{"-trusted-proxies", "10.0.0.0/33"},
		{"-trusted-proxies", "10.0.0.1, proxy.example"},
		{"-recovery", "1m", "-adapter", "redis"},
		{"-recovery", "1m", "-adapter", "redis-sharded"},
		{"-adapter", "redis", "-redis-url", "localhost:6379"},
		{"-sessions-anywhere", "-cluster-key", "0123456789abcdef"},
		{"-sessions-anywhere", "-adapter", "redis"},
		{"-sessions-anywhere", "-adapter", "redis", "-cluster-key", "0123456789abcde"},
	} {
		if _, err := Parse(args, io.Discard); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}

// Paths and origins that are unusual, and levels of the log in whatever case.
func TestAccepted(t *testing.T) {
	for _, args := range [][]string{
		{"-path", "/a/../b//c/"},
		{"-path", "/å-_.~!$&'()*+,;=:@"},
		{"-log-level", "WARN"},
		{"-log-level", "warning"},
		{"-log-level", "trace"},
		{"-cors-origin", "*"},
		{"-cors-origin", "null, https://*.example, http://[::1]:3000,capacitor://localhost"},
		{"-cors-origin", "*.example.com, *://a.example"},
	} {
		if _, err := Parse(args, io.Discard); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// A number that cannot be meant is refused by the name of its flag. Zero is the default
// to the library, which is not what it says; a size is not named as one that is less
// than another.
func TestNumbersRefused(t *testing.T) {
	for name, values := range map[string][]string{
		"-max-http-buffer-size":   {"0", "-1"},
		"-queue-bytes":            {"0", "-1"},
		"-queue-packets":          {"0", "-1"},
		"-ping-interval":          {"0", "-1s"},
		"-ping-timeout":           {"0", "-1s"},
		"-upgrade-timeout":        {"0", "-1s"},
		"-connect-timeout":        {"0", "-1s"},
		"-max-connections":        {"-1"},
		"-max-connections-per-ip": {"-1"},
		"-max-handshakes":         {"-0.5", "NaN"},
	} {
		for _, v := range values {
			if _, err := Parse([]string{name, v}, io.Discard); err == nil || !strings.HasPrefix(err.Error(), "config: ") || !strings.Contains(err.Error(), name) {
				t.Errorf("%s %s: %v", name, v, err)
			}
		}
	}
}

// The help names each flag, with a word on what it is for.
func TestHelp(t *testing.T) {
	var out strings.Builder
	if _, err := Parse([]string{"-h"}, &out); !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("error %v", err)
	}
	if !strings.Contains(out.String(), "HERMOD_REDIS_URL") {
		t.Error("where a password is safe is not said")
	}
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	var c Config
	c.program(flags)
	c.engine(flags)
	c.chat(flags)
	c.sockets(flags)
	c.cluster(flags)
	n := 0
	flags.VisitAll(func(f *flag.Flag) {
		n++
		if !strings.Contains(out.String(), "  -"+f.Name) || len(f.Usage) < 10 {
			t.Errorf("-%s is not explained", f.Name)
		}
	})
	if n < 15 {
		t.Errorf("only %d flags", n)
	}
}

func TestClientDir(t *testing.T) {
	c, err := Parse([]string{"-client-dir", t.TempDir()}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c.SocketIO().ClientFiles == nil {
		t.Error("the folder is there and not used")
	}
	c.ClientDir = "no/such/folder"
	if c.SocketIO().ClientFiles != nil {
		t.Error("the folder is not there and used")
	}
}

func TestCluster(t *testing.T) {
	t.Setenv("HERMOD_CLUSTER_KEY", "0123456789abcdef")
	c, err := Parse([]string{"-adapter", "redis-streams", "-redis-url", "redis://redis", "-redis-prefix", "p", "-redis-batches", "-recovery", "2m", "-sessions-anywhere"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if n := c.Nodes(); n != (nodes.Config{Adapter: nodes.Streams, URL: "redis://redis", Prefix: "p", Batches: true, Key: "0123456789abcdef"}) {
		t.Errorf("%+v", n)
	}
	if s := c.SocketIO(); s.Recovery == nil || s.Recovery.MaxDisconnection != 2*time.Minute {
		t.Errorf("recovery: %+v", s.Recovery)
	}
	c.SessionsAnywhere = false
	if c.Nodes().Key != "" {
		t.Error("the key is used without being asked for")
	}
}

// A password need not stand on the command line, which other users see: there are the
// environment and a file.
func TestSecrets(t *testing.T) {
	const url = "redis://user:s%40cret#1@redis:6379/1"
	want := nodes.Config{Adapter: nodes.Classic, URL: "redis://user:secret@redis", Key: "0123456789abcdef"}
	file := filepath.Join(t.TempDir(), "hermod.conf")
	text := "# of the cluster\nadapter redis # the classic one\n\nredis-url " + want.URL + "\n  cluster-key  0123456789abcdef\nsessions-anywhere\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("environment", func(t *testing.T) {
		t.Setenv("HERMOD_REDIS_URL", want.URL)
		t.Setenv("HERMOD_CLUSTER_KEY", want.Key)
		if c, err := Parse([]string{"-adapter", "redis", "-sessions-anywhere"}, io.Discard); err != nil || c.Nodes() != want {
			t.Errorf("%+v, %v", c.Nodes(), err)
		}
	})
	t.Run("file", func(t *testing.T) {
		if c, err := Parse([]string{"-config", file}, io.Discard); err != nil || c.Nodes() != want {
			t.Errorf("%+v, %v", c.Nodes(), err)
		}
	})
	t.Run("all", func(t *testing.T) { // the command line wins over the environment, and that over the file
		t.Setenv("HERMOD_CONFIG", file)
		t.Setenv("HERMOD_ADAPTER", "redis-streams")
		t.Setenv("HERMOD_REDIS_URL", "redis://b")
		c, err := Parse([]string{"-redis-url", "redis://a"}, io.Discard)
		if n := c.Nodes(); err != nil || n.URL != "redis://a" || n.Adapter != nodes.Streams || n.Key != want.Key {
			t.Errorf("%+v, %v", n, err)
		}
	})
	for name, text := range map[string]string{"unknown": "redis-password secret", "equals": "redis-url=" + url, "tab": "redis-url\t" + url, "colon": "redis-url: " + url, "unusable": "adapter redis\nredis-url " + url + "\n"} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Parse([]string{"-config", file}, io.Discard); err == nil || strings.Contains(err.Error(), "cret") {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := Parse([]string{"-config", file + ".none"}, io.Discard); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without the file: %v", err)
	}
}

// Why a combination is refused is said.
func TestRecoveryRefused(t *testing.T) {
	_, err := Parse([]string{"-recovery", "1m", "-adapter", "redis"}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "redis-streams") {
		t.Errorf("%v", err)
	}
}
