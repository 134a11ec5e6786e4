package config

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hermod-io/hermod/engineio"
)

// validate reports the first setting that makes no sense.
func (c *Config) validate() error {
	for _, check := range []func() error{c.validateProgram, c.validateEngine, c.validateNumbers, c.validateChat, c.validateProxies, c.validateCluster} {
		if err := check(); err != nil {
			return err
		}
	}
	s := c.SocketIO()
	return s.Validate()
}

// levels are those that -log-level takes, in upper or lower case: of logrus's those
// that hide no errors.
var levels = []string{"trace", "debug", "info", "warn", "warning", "error"}

func (c *Config) validateProgram() error {
	switch {
	case c.Addr == "":
		return errors.New("config: -addr is empty")
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("config: -tls-cert and -tls-key go together")
	case !slices.Contains(levels, strings.ToLower(c.LogLevel)):
		return fmt.Errorf("config: -log-level: %q is none of debug, info, warn, error", c.LogLevel)
	case c.LogFormat != "auto" && c.LogFormat != "text" && c.LogFormat != "json":
		return fmt.Errorf("config: -log-format: %q is none of text, json, auto", c.LogFormat)
	case c.ShutdownTimeout <= 0:
		return errors.New("config: -shutdown-timeout must be positive")
	}
	return nil
}

// validateNumbers refuses what the libraries would take for their default, or for
// none, and says the names of flags instead of those of fields.
func (c *Config) validateNumbers() error {
	for _, n := range []struct {
		name     string
		positive bool
	}{
		{"max-http-buffer-size", c.MaxHTTPBufferSize > 0},
		{"queue-bytes", c.QueueBytes > 0},
		{"queue-packets", c.QueuePackets > 0},
		{"ping-interval", c.PingInterval > 0},
		{"ping-timeout", c.PingTimeout > 0},
		{"upgrade-timeout", c.UpgradeTimeout > 0},
		{"connect-timeout", c.ConnectTimeout > 0},
	} {
		if !n.positive {
			return fmt.Errorf("config: -%s must be positive", n.name)
		}
	}
	switch {
	case c.MaxConnections < 0:
		return errors.New("config: -max-connections is negative")
	case c.MaxPerIP < 0:
		return errors.New("config: -max-connections-per-ip is negative")
	case !(c.MaxHandshakes >= 0): // NaN is not, either
		return errors.New("config: -max-handshakes is negative, or no number")
	}
	return nil
}

func (c *Config) validateChat() error {
	switch {
	case c.ChatHistory < 1 || c.ChatMaxFile < 1:
		return errors.New("config: -chat-history and -chat-max-file must be positive")
	case int64(c.ChatMaxFile) > c.MaxHTTPBufferSize/10*7:
		return errors.New("config: -chat-max-file must be at most 7/10 of -max-http-buffer-size: polling sends files in base64")
	}
	return nil
}

func (c *Config) validateEngine() error {
	switch {
	case !strings.HasPrefix(c.Path, "/"):
		return fmt.Errorf("config: -path: %q does not begin with a slash", c.Path)
	case path.Clean(c.Path) == "/":
		return errors.New("config: -path: the root is the page's")
	case strings.ContainsAny(c.Path, "{}?#%\\\"<> \t\r\n"): // the router or a browser takes them for something else
		return fmt.Errorf("config: -path: %q has characters that no path should have", c.Path)
	}
	transports := list(c.Transports)
	if len(transports) == 0 {
		return errors.New("config: -transports is empty")
	}
	for _, t := range transports {
		if t != engineio.Polling && t != engineio.WebSocket {
			return fmt.Errorf("config: -transports: %q is none of %s, %s", t, engineio.Polling, engineio.WebSocket)
		}
	}
	for _, o := range c.Origins() {
		if !isOrigin(o) {
			return fmt.Errorf("config: -cors-origin: %q is no origin, such as https://example.com", o)
		}
	}
	return nil
}

// isOrigin reports whether o is an origin or a pattern of some, in which one
// asterisk stands for anything: of more than one the others would be taken as they are.
func isOrigin(o string) bool {
	scheme, host, ok := strings.Cut(o, "://")
	if !ok && strings.HasPrefix(o, "*") { // of any scheme
		scheme, host = "*", o
	}
	return o == "null" || strings.Count(o, "*") < 2 && scheme != "" && host != "" && !strings.ContainsAny(host, "/?#@ ")
}
