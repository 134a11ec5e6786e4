package main

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/parser"
	"github.com/hermod-io/hermod/wscore"
	"github.com/rs/cors"
)

// options are those of the application, named as the official server's.
type options struct {
	Path              string   `json:"path"`
	AddTrailingSlash  *bool    `json:"addTrailingSlash"`
	PingInterval      int64    `json:"pingInterval"`
	PingTimeout       int64    `json:"pingTimeout"`
	UpgradeTimeout    int64    `json:"upgradeTimeout"`
	ConnectTimeout    int64    `json:"connectTimeout"`
	MaxHTTPBufferSize int64    `json:"maxHttpBufferSize"`
	Transports        []string `json:"transports"`
	AllowUpgrades     *bool    `json:"allowUpgrades"`
	ServeClient       *bool    `json:"serveClient"`
	AllowEIO3         bool     `json:"allowEIO3"`
	Cookie            any      `json:"cookie"`
	HTTPCompression   any      `json:"httpCompression"`
	PerMessageDeflate bool     `json:"perMessageDeflate"`
	CORS              *struct {
		Origin      string `json:"origin"`
		Credentials bool   `json:"credentials"`
	} `json:"cors"`
	Recovery *struct {
		MaxDisconnectionDuration int64 `json:"maxDisconnectionDuration"`
		SkipMiddlewares          *bool `json:"skipMiddlewares"`
	} `json:"connectionStateRecovery"`
	Cleanup       bool   `json:"cleanupEmptyChildNamespaces"`
	AllowRequest  bool   `json:"allowRequest"`
	Headers       bool   `json:"headers"`
	Middleware    bool   `json:"middleware"`
	Deny          bool   `json:"deny"`
	InitialPacket string `json:"initialPacket"`
	Parser        string `json:"parser"`
}

func readOptions(text string) (*options, error) {
	o := new(options)
	if text == "" {
		return o, nil
	}
	return o, json.Unmarshal([]byte(text), o)
}

// prefix is where the server under test is mounted.
func (o *options) prefix() string {
	if o.Path == "" {
		return "/socket.io/"
	}
	if o.bare() {
		return strings.TrimSuffix(o.Path, "/")
	}
	return strings.TrimSuffix(o.Path, "/") + "/"
}

// bare tells that the path stands as it is, without a slash at its end.
func (o *options) bare() bool { return o.AddTrailingSlash != nil && !*o.AddTrailingSlash }

func millis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// config is the configuration of the server under test.
func (o *options) config(j *journal) socketio.Config {
	cfg := socketio.Config{
		Engine: engineio.Config{
			Path:              o.Path,
			NoTrailingSlash:   o.bare(),
			PingInterval:      millis(o.PingInterval),
			PingTimeout:       millis(o.PingTimeout),
			UpgradeTimeout:    millis(o.UpgradeTimeout),
			MaxHTTPBufferSize: o.MaxHTTPBufferSize,
			Transports:        o.Transports,
			NoUpgrades:        o.AllowUpgrades != nil && !*o.AllowUpgrades,
			AllowEIO3:         o.AllowEIO3,
			Cookie:            o.cookie(),
			HTTPCompression:   o.compression(),
			OnConnectionError: j.refused,
		},
		ConnectTimeout: millis(o.ConnectTimeout),
		NoServeClient:  o.ServeClient != nil && !*o.ServeClient,

		CleanupEmptyChildNamespaces: o.Cleanup,
	}
	if o.Parser == "msgpack" {
		cfg.Parser = parser.MsgPack()
	}
	if dir := os.Getenv("SIO_CLIENT_DIR"); dir != "" {
		cfg.ClientFiles = os.DirFS(dir)
	}
	if o.CORS != nil {
		cfg.Engine.CORS = &cors.Options{
			AllowedOrigins:   []string{o.CORS.Origin},
			AllowCredentials: o.CORS.Credentials,
			AllowedMethods:   []string{"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"},
			AllowedHeaders:   []string{"*"},
		}
	}
	if o.PerMessageDeflate {
		cfg.Engine.PerMessageDeflate = &wscore.Deflate{}
	}
	if r := o.Recovery; r != nil {
		cfg.Recovery = &socketio.Recovery{
			MaxDisconnection:  millis(r.MaxDisconnectionDuration),
			NoSkipMiddlewares: r.SkipMiddlewares != nil && !*r.SkipMiddlewares,
		}
	}
	o.hooks(&cfg.Engine, j)
	return cfg
}

// hooks sets what the application hears of requests.
func (o *options) hooks(cfg *engineio.Config, j *journal) {
	if o.InitialPacket != "" {
		cfg.InitialPacket = &engineio.Message{Data: []byte(o.InitialPacket)}
	}
	if o.AllowRequest {
		cfg.AllowRequest = allow
	}
	if o.Headers {
		cfg.OnInitialHeaders = func(h http.Header, r *http.Request) {
			h.Set("X-Initial", "1")
			j.hook("initial_headers", r)
		}
		cfg.OnHeaders = func(h http.Header, r *http.Request) {
			h.Set("X-Each", "1")
			j.hook("headers", r)
		}
	}
}

// allow refuses what asks to be refused.
func allow(r *http.Request) error {
	q := r.URL.Query()
	switch text := q.Get("refuse"); {
	case !q.Has("refuse"):
		return nil
	case text == "plain":
		return http.ErrNotSupported
	default:
		return &engineio.AllowError{Message: text}
	}
}

func (o *options) cookie() *engineio.Cookie {
	switch v := o.Cookie.(type) {
	case bool:
		if v {
			return &engineio.Cookie{}
		}
	case map[string]any:
		c := &engineio.Cookie{}
		c.Name, _ = v["name"].(string)
		c.Path, _ = v["path"].(string)
		if only, ok := v["httpOnly"].(bool); ok {
			c.NoHTTPOnly = !only
		}
		if v["sameSite"] == "strict" {
			c.SameSite = http.SameSiteStrictMode
		}
		return c
	}
	return nil
}

func (o *options) compression() *engineio.HTTPCompression {
	switch v := o.HTTPCompression.(type) {
	case bool:
		if !v {
			return &engineio.HTTPCompression{Threshold: -1}
		}
	case map[string]any:
		if n, ok := v["threshold"].(float64); ok {
			return &engineio.HTTPCompression{Threshold: int(n)}
		}
	}
	return nil
}
