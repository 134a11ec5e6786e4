package engineio

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rs/cors"
)

// The errors of the official server, in its order of checks.
//
// compat: option allowRequest
// compat: code 0
// compat: code 1
// compat: code 2
// compat: code 3
// compat: code 4
// compat: code 5
// compat: event connection_error
// compat: transport webtransport
func TestRefusedRequests(t *testing.T) {
	refused := []*ConnectionError{}
	cfg := Config{
		OnConnectionError: func(e *ConnectionError) { refused = append(refused, e) },
		AllowRequest: func(r *http.Request) error {
			switch r.Header.Get("X-Test") {
			case "plain":
				return errors.New("a secret of ours")
			case "told":
				return &AllowError{"not <you>"}
			}
			return nil
		},
	}
	scenario(t, cfg, func(w *world) {
		p, c := w.poller(), w.websocket()
		wsSID := w.h.session(1).ID()
		for _, r := range []struct {
			method, query string
			status        int
			body, key     string
			header        []string
		}{
			{"GET", "EIO=4", 400, `{"code":0,"message":"Transport unknown"}`, "transport", nil},
			{"GET", "EIO=4&transport=tcp", 400, `{"code":0,"message":"Transport unknown"}`, "transport", nil},
			{"GET", "EIO=4&transport=webtransport", 400, `{"code":0,"message":"Transport unknown"}`, "transport", nil},
			{"GET", "EIO=4&transport=__proto__", 400, `{"code":0,"message":"Transport unknown"}`, "transport", nil},
			{"GET", "EIO=4&transport=polling&sid=nobody", 400, `{"code":1,"message":"Session ID unknown"}`, "sid", nil},
			{"GET", "EIO=4&transport=polling&sid=__proto__", 400, `{"code":1,"message":"Session ID unknown"}`, "sid", nil},
			{"POST", pollingQuery, 400, `{"code":2,"message":"Bad handshake method"}`, "method", nil},
			{"HEAD", pollingQuery, 400, "", "method", nil},
			{"GET", "EIO=4&transport=websocket", 400, `{"code":3,"message":"Bad request"}`, "name", nil},
			{"GET", pollingQuery + "&sid=" + wsSID, 400, `{"code":3,"message":"Bad request"}`, "name", nil},
			{"GET", "EIO=3&transport=polling&sid=" + p.sid, 400, `{"code":3,"message":"Bad request"}`, "name", nil},
			{"GET", pollingQuery, 403, `{"code":4,"message":"Forbidden"}`, "message", []string{"X-Test: plain"}},
			{"GET", pollingQuery, 403, `{"code":4,"message":"not <you>"}`, "message", []string{"X-Test: told"}},
			{"GET", "transport=polling", 400, `{"code":5,"message":"Unsupported protocol version"}`, "protocol", nil},
			{"GET", "EIO=4&EIO=5&transport=polling", 400, `{"code":5,"message":"Unsupported protocol version"}`, "protocol", nil},
		} {
			refused = refused[:0]
			res := w.request(r.method, r.query, "", r.header...)
			if res.status != r.status || res.body != r.body || res.header.Get("Content-Type") != "application/json" {
				w.t.Errorf("%s %s: %+v", r.method, r.query, res)
			}
			if len(refused) != 1 {
				w.t.Fatalf("%s %s: the hook was called %d times", r.method, r.query, len(refused))
			}
			if _, ok := refused[0].Context[r.key]; !ok {
				w.t.Errorf("%s %s: context %v has no %s", r.method, r.query, refused[0].Context, r.key)
			}
		}
		up := w.request("GET", "EIO=4&transport=nothing", "", "Upgrade: websocket", "Connection: Upgrade")
		if up.status != 400 || up.body != "Transport unknown" || up.header.Get("Content-Type") != "text/html" {
			w.t.Errorf("an upgrade: %+v", up)
		}
		p.post("4fine")
		c.send("4fine")
		w.want("nobody else notices", "open", "open", "text fine", "text fine")
	})
}

// compat: option cookie
// compat: option allowUpgrades
// compat: event initial_headers
// compat: event headers
// compat: engine.generateId
// compat: context ID_GENERATION_ERROR
// compat: engine.upgrades
func TestHandshakeResponse(t *testing.T) {
	first, all := 0, 0
	cfg := Config{
		Cookie:           &Cookie{Secure: true},
		OnInitialHeaders: func(h http.Header, _ *http.Request) { first++; h.Set("X-First", "1") },
		OnHeaders:        func(h http.Header, _ *http.Request) { all++; h.Set("X-All", "1") },
		GenerateID: func(r *http.Request) (string, error) {
			if id := r.Header.Get("X-ID"); id != "" {
				return id, nil
			}
			return "", errors.New("no id")
		},
	}
	scenario(t, cfg, func(w *world) {
		res := w.request("GET", pollingQuery, "", "X-ID: abc", "User-Agent: x;MSIE 9")
		if res.body != `0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}` {
			w.t.Errorf("open packet %s", res.body)
		}
		for k, want := range map[string]string{
			"Content-Type": "text/plain; charset=UTF-8", "Cache-Control": "no-store", "X-First": "1", "X-All": "1",
			"X-Xss-Protection": "0", "Set-Cookie": "io=abc; Path=/; HttpOnly; Secure; SameSite=Lax",
		} {
			if got := res.header.Get(k); got != want {
				w.t.Errorf("%s: %q, want %q", k, got, want)
			}
		}
		if res := w.request("GET", pollingQuery, "", "X-ID: abc"); res.status != 400 {
			w.t.Errorf("an id that is taken: %+v", res)
		}
		if res := w.request("GET", pollingQuery, ""); res.body != `{"code":3,"message":"Bad request"}` {
			w.t.Errorf("no id: %+v", res)
		}
		p := &poller{w, "abc", pollingQuery}
		p.post("4x")
		if first != 1 || all != 2 {
			w.t.Errorf("hooks: %d first, %d in all", first, all)
		}
		_, header := w.dialWS("EIO=4&transport=websocket&sid=abc")
		if header.Get("X-All") != "1" || header.Get("X-First") != "" || header.Get("Set-Cookie") != "" {
			w.t.Errorf("101: %v", header)
		}
	})
	scenario(t, Config{NoUpgrades: true}, func(w *world) {
		if res := w.request("GET", pollingQuery, ""); !strings.Contains(res.body, `"upgrades":[],`) {
			w.t.Errorf("open packet %s", res.body)
		}
		c, _ := w.dialWS("EIO=4&transport=websocket")
		if p := c.next(); !strings.Contains(p, `"upgrades":[],`) {
			w.t.Errorf("open packet %s", p)
		}
	})
}

// compat: socket.handshake.headers
// compat: socket.handshake.url
// compat: socket.handshake.query
// compat: engineSocket.request
func TestHandshakeIsKept(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		w.request("GET", pollingQuery+"&token=a%20b", "", "X-Name: Zoë", "X-Two: 1", "X-Two: 2")
		h := w.h.session(0).Handshake()
		if h.Method != "GET" || h.URL.Query().Get("token") != "a b" || h.URL.Query().Get("EIO") != "4" || h.Header.Get("X-Name") != "Zoë" ||
			len(h.Header["X-Two"]) != 2 || h.Header.Get("Host") != "here.example" || h.Secure || h.RemoteAddr == "" || h.Time.IsZero() {
			w.t.Errorf("%+v", h)
		}
	})
}

// compat: option cors
func TestCORS(t *testing.T) {
	scenario(t, Config{CORS: &cors.Options{AllowedOrigins: []string{"http://good.example"}}}, func(w *world) {
		pre := w.request("OPTIONS", "nonsense", "", "Origin: http://good.example", "Access-Control-Request-Method: DELETE", "Access-Control-Request-Headers: x-any")
		if pre.status != 204 || pre.body != "" || pre.header.Get("Access-Control-Allow-Origin") != "http://good.example" ||
			pre.header.Get("Access-Control-Allow-Methods") != "DELETE" || pre.header.Get("Access-Control-Allow-Headers") != "x-any" {
			w.t.Errorf("preflight: %+v", pre)
		}
		if res := w.request("OPTIONS", "nonsense", ""); res.status != 204 {
			w.t.Errorf("OPTIONS that is no preflight: %+v", res)
		}
		if res := w.request("GET", pollingQuery, "", "Origin: http://good.example"); res.status != 200 || res.header.Get("Access-Control-Allow-Origin") == "" {
			w.t.Errorf("listed: %+v", res)
		}
		if res := w.request("GET", "nonsense", "", "Origin: http://good.example"); res.status != 400 || res.header.Get("Access-Control-Allow-Origin") == "" {
			w.t.Errorf("an error: %+v", res)
		}
		for _, up := range [][]string{nil, {"Upgrade: websocket", "Connection: Upgrade"}} {
			query, status := pollingQuery, 403
			if up != nil {
				query, status = "EIO=4&transport=websocket", 400
			}
			if res := w.request("GET", query, "", append(up, "Origin: http://evil.example")...); res.status != status || !strings.Contains(res.body, "Forbidden") {
				w.t.Errorf("not listed: %+v", res)
			}
		}
		if res := w.request("GET", pollingQuery, ""); res.status != 200 {
			w.t.Errorf("no origin: %+v", res)
		}
	})
}

// compat: engine.use
// compat: engine.handleRequest
// compat: engine.handleUpgrade
func TestMiddlewares(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		var order []string
		for _, name := range []string{"a", "b"} {
			w.srv.Use(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					order = append(order, name)
					if r.Header.Get("X-Stop") == name {
						rw.WriteHeader(http.StatusTeapot)
						return
					}
					next.ServeHTTP(rw, r)
				})
			})
		}
		p := w.poller()
		p.switched()
		if res := w.request("GET", pollingQuery, "", "X-Stop: a"); res.status != http.StatusTeapot {
			w.t.Errorf("stopped: %+v", res)
		}
		if got := strings.Join(order, ""); got != "ababa" {
			w.t.Errorf("order %s, for a poll, an upgrade, and a request that is stopped", got)
		}
	})
}

// compat: option httpCompression
func TestCompression(t *testing.T) {
	scenario(t, Config{HTTPCompression: &HTTPCompression{Threshold: 100}}, func(w *world) {
		p := w.poller()
		s := w.h.session(0)
		long := strings.Repeat("abc", 100)
		for _, c := range []struct {
			accept, want string
			flags        SendFlags
			data         string
		}{
			{"gzip", "gzip", 0, long}, {"deflate", "deflate", 0, long}, {"deflate, gzip", "deflate", 0, long},
			{"deflate;q=0.5, gzip", "gzip", 0, long}, {"gzip;q=0", "", 0, long}, {"br", "", 0, long}, {"*", "gzip", 0, long},
			{"gzip", "", NoCompress, long}, {"gzip", "", 0, "short"},
		} {
			_ = s.Send(c.flags, Message{Data: []byte(c.data)})
			res := w.request("GET", p.query(), "", "Accept-Encoding: "+c.accept)
			if got := res.header.Get("Content-Encoding"); got != c.want {
				w.t.Errorf("%+v: encoding %q", c, got)
				continue
			}
			if got := inflate(w.t, c.want, res.body); got != "4"+c.data {
				w.t.Errorf("%+v: %.40q", c, got)
			}
		}
	})
}

func inflate(t *testing.T, encoding, body string) string {
	t.Helper()
	var r io.Reader = strings.NewReader(body)
	var err error
	switch encoding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "deflate":
		r, err = zlib.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.Clone(b))
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]Config{
		"Limits":            {Limits: Limits{PerIP: -1}},
		"Queue":             {Queue: Queue{Bytes: -1}},
		"Queue is":          {Queue: Queue{Packets: -1}},
		"OnFull":            {Queue: Queue{OnFull: 7}},
		"PingInterval":      {PingInterval: -1},
		"MaxHTTPBufferSize": {MaxHTTPBufferSize: -1},
		"transport":         {Transports: []string{"pigeon"}},
		"Cookie":            {Cookie: &Cookie{Name: "a b"}},
		"Cookie: ":          {Cookie: &Cookie{Path: "/;x"}},
	} {
		if _, err := New(c, &recorder{}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range []struct {
		cfg  Config
		want string
	}{{Config{}, "/engine.io/"}, {Config{Path: "/x/"}, "/x/"}, {Config{Path: "/x", NoTrailingSlash: true}, "/x"}} {
		srv, err := New(c.cfg, &recorder{})
		if err != nil || srv.Pattern() != c.want {
			t.Errorf("pattern %q, %v", srv.Pattern(), err)
		}
	}
}
