package ephemeral_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/ephemeral"
)

// greeting says what the token carried.
type greeting struct{ p *wscore.Process }

func (g greeting) OnOpen() {
	_ = g.p.Send(wscore.OpText, g.p.Upgrade().Value.(ephemeral.Cookie).Record)
}
func (g greeting) OnMessage(wscore.Opcode, []byte) {}
func (g greeting) OnClose(error)                   {}

// protected is a server of protocols that ask for tokens in several ways.
func protected(t *testing.T, g *ephemeral.Generator) (url string) {
	spec := func(name string) wscore.ProtocolSpec {
		return wscore.ProtocolSpec{Names: []string{name}, New: func(p *wscore.Process) wscore.Protocol { return greeting{p} }}
	}
	banned := spec("banned")
	banned.Check = func(u *wscore.Upgrade) error {
		if string(u.Value.(ephemeral.Cookie).Record) == "mallory" {
			return errors.New("banned")
		}
		return nil
	}
	list := new(wscore.ProtocolList)
	list.Add(ephemeral.Protect(spec("many"), g, ephemeral.Guard{}))
	list.Add(ephemeral.Protect(spec("once"), g, ephemeral.Guard{SingleUse: true}))
	list.Add(ephemeral.Protect(spec("signed"), g, ephemeral.Guard{Signed: true}))
	list.Add(ephemeral.Protect(banned, g, ephemeral.Guard{}))
	h := wscore.NewHandler(list, wscore.ProcessSettings{Conn: wscore.Settings{CloseTimeout: 100 * time.Millisecond}})
	hs := httptest.NewServer(h)
	t.Cleanup(hs.Close)
	t.Cleanup(func() { _ = h.Shutdown(context.Background()) })
	return hs.URL
}

func wantGreeting(t *testing.T, c *wscore.Conn, want string) {
	t.Helper()
	if _, got, err := c.Read(t.Context()); err != nil || string(got) != want {
		t.Errorf("got %q, %v", got, err)
	}
	_ = c.CloseNow()
}

func TestProtect(t *testing.T) {
	now := time.Now()
	g := ephemeral.New(ephemeral.Options{Lifetime: time.Minute, Now: func() time.Time { return now }})
	u := protected(t, g)
	token := func(record string) string {
		s, _, err := g.Generate(0, []byte(record))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	foreign, _, _ := ephemeral.New(ephemeral.Options{}).Generate(0, nil)
	expired := token("old")
	now = now.Add(time.Hour)
	once, many := token("ann"), token("bob")
	for i, tt := range []struct {
		name, path, bearer string
		status             int
		record             string
	}{
		{"many", "/ws/" + many, "", 0, "bob"},
		{"many", "/ws/" + many, "", 0, "bob"},
		{"many", "/ws?t=" + many, "", 0, "bob"},
		{"once", "/ws/" + once, "", 0, "ann"},
		{"once", "/ws/" + once, "", 404, ""},
		{"many", "/ws/" + expired, "", 404, ""},
		{"many", "/ws/" + foreign, "", 404, ""},
		{"many", "/ws/", "", 404, ""},
		{"many", "/ws/", many, 404, ""},
		{"signed", "/ws", many, 0, "bob"},
		{"signed", "/ws?" + many, "", 0, "bob"},
		{"signed", "/ws/" + many, "", 403, ""},
		{"signed", "/ws?" + many, foreign, 403, ""},
		{"signed", "/ws?" + expired, "", 403, ""},
		{"banned", "/" + many, "", 0, "bob"},
		{"banned", "/" + token("mallory"), "", 403, ""},
	} {
		t.Run(fmt.Sprint(i, tt.name), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			o := &wscore.DialOptions{Header: http.Header{}}
			if tt.bearer != "" {
				o.Header.Set("Authorization", "Bearer "+tt.bearer)
			}
			c, _, err := wscore.Dial(ctx, u+tt.path, &wscore.Settings{Subprotocols: []string{tt.name}}, o)
			if tt.status != 0 {
				var he *wscore.HandshakeError
				if !errors.As(err, &he) || he.Status != tt.status {
					t.Fatalf("got %v, want %d", err, tt.status)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantGreeting(t, c, tt.record)
		})
	}
}

func ExampleGenerator() {
	g := ephemeral.New(ephemeral.Options{Lifetime: time.Minute})
	uri, err := g.URI("/ws/chat", 0, []byte("ann"))
	if err != nil {
		panic(err)
	}
	c, err := g.Use(ephemeral.TokenOf(uri))
	fmt.Println(string(c.Record), err)
	_, err = g.Use(ephemeral.TokenOf(uri))
	fmt.Println(err)
	// Output:
	// ann <nil>
	// ephemeral: token was used or revoked
}
