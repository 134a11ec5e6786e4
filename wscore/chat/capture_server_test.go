package chat_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/chat"
	"github.com/hermod-io/hermod/wscore/ephemeral"
)

// What a mORMot client said is said to our server, which answers as mORMot's did,
// byte for byte.
func TestRecordedClients(t *testing.T) {
	for _, s := range scenarios(t) {
		t.Run(s.Name, func(t *testing.T) {
			app := newWitness()
			u := s.serve(t, app)
			request, response := s.upgrade()
			if s.ephemeral() { // the token is one of ours, asked for as the client did
				request = "GET /" + newURI(t, u) + request[strings.Index(request, " HTTP/1.1"):]
			}
			w := dialWire(t, u)
			if err := w.write([]byte(request)); err != nil {
				t.Fatal(err)
			}
			wantHeaders(t, w, response)
			for i := range s.Frames {
				s.step(t, w, &s.Frames[i])
			}
			if !w.ended() {
				t.Error("the stream goes on")
			}
			_ = w.c.Close()
			waitGone(t, app)
			want := saw(s.ServerLog, "chat")
			if s.ephemeral() { // of which no such log was kept
				want = []string{"0 0", "1 23", "8 0"}
			}
			if got := app.list(); !slices.Equal(got, want) {
				t.Errorf("the application was told\n%v, want\n%v", got, want)
			}
		})
	}
}

// serve runs what the recorded server was.
func (s *scenario) serve(t *testing.T, app *witness) string {
	mux := http.NewServeMux()
	uri, prefix := s.Server.URI, ""
	if s.ephemeral() {
		uri, prefix = "", "session=1 uri=1 echo="
	}
	spec := chat.New(app.options(s.Server.Protocol, uri, echo(t, prefix))).Spec()
	if s.ephemeral() {
		g := ephemeral.New(ephemeral.Options{Lifetime: time.Minute})
		spec = ephemeral.Protect(spec, g, ephemeral.Guard{SingleUse: true})
		mux.HandleFunc("/newuri", func(w http.ResponseWriter, r *http.Request) {
			u, err := g.URI(r.Host, 0, nil)
			if err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(w, u)
		})
	}
	list := new(wscore.ProtocolList)
	list.Add(spec)
	settings := wscore.ProcessSettings{HeartbeatDelay: -1}
	if s.Server.HeartbeatServer > 0 {
		settings.HeartbeatDelay, settings.PongTimeout, settings.MaxInvalidHeartbeats = 100*time.Millisecond, 100*time.Millisecond, -1
	}
	h := wscore.NewHandler(list, settings)
	mux.Handle("/", h)
	hs := httptest.NewServer(mux)
	t.Cleanup(hs.Close)
	t.Cleanup(func() { shutdown(t, h) })
	return hs.URL
}

// newURI is the token of a URI that the server gives out.
func newURI(t *testing.T, u string) string {
	res, err := http.Get(u + "/newuri")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	host, token, _ := strings.Cut(string(b), "/")
	if err != nil || host != strings.TrimPrefix(u, "http://") || len(token) != 43 {
		t.Fatalf("new URI %q, %v", b, err)
	}
	return token
}

// wantHeaders wants the recorded answer. Connection ids are the server's own.
func wantHeaders(t *testing.T, w *wire, recorded string) {
	t.Helper()
	res, body, err := w.response()
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%+v, %s, %v", res, body, err)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(recorded), "\r\n") {
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			continue
		}
		got := res.Header.Get(name)
		if textproto.CanonicalMIMEHeaderKey(name) == "Sec-Websocket-Connection-Id" {
			if got == "" {
				t.Error("no connection id")
			}
		} else if got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	if !strings.Contains(recorded, "Sec-WebSocket-Protocol") && res.Header.Values("Sec-Websocket-Protocol") != nil {
		t.Error("a subprotocol without its being asked for")
	}
}

// step sends a frame of the client, or wants one of the server.
func (s *scenario) step(t *testing.T, w *wire, f *frame) {
	t.Helper()
	if f.Dir == "c2s" {
		if err := w.write(f.bytes(t)); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := w.read()
	for err == nil && got.Opcode == byte(wscore.OpPing) && f.Opcode != got.Opcode && s.Server.HeartbeatServer > 0 {
		got, err = w.read() // one more heartbeat, on a slow machine
	}
	if err != nil {
		t.Fatalf("%v instead of %s", err, f.Header)
	}
	if head := fmt.Sprintf("%x", got.head); head != f.Header {
		t.Fatalf("frame %s, want %s", head, f.Header)
	}
	if string(got.payload) != string(f.body(t)) {
		t.Fatalf("payload %.100q of %s", got.payload, f.Header)
	}
}

func waitGone(t *testing.T, app *witness) {
	t.Helper()
	select {
	case <-app.gone:
	case <-time.After(limit):
		t.Fatal("the application was not told of the end")
	}
}
