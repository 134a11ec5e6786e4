package chat_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/chat"
)

const limit = 30 * time.Second

// told is a Chat that tells its test what it is told, and echoes.
func told(name, uri string) (*chat.Chat, chan string) {
	events := make(chan string, 100)
	c := chat.New(chat.Options{Name: name, URI: uri,
		OnOpen: func(p *wscore.Process) { events <- "open" },
		OnMessage: func(p *wscore.Process, op wscore.Opcode, data []byte) {
			events <- fmt.Sprintf("message %d %s", op, data)
			if string(data) == "panic" {
				panic("in a callback")
			}
			_ = p.Send(op, data)
		},
		OnControl: func(p *wscore.Process, op wscore.Opcode, data []byte) {
			events <- fmt.Sprintf("control %d %s", op, data)
		},
		OnClose: func(p *wscore.Process, err error) {
			var ce *wscore.CloseError
			events <- fmt.Sprintf("close %v %d", errors.As(err, &ce), ce.Code)
		},
	})
	return c, events
}

func serve(t *testing.T, s wscore.ProcessSettings, chats ...*chat.Chat) (*wscore.Handler, string) {
	list := new(wscore.ProtocolList)
	for _, c := range chats {
		if !list.Add(c.Spec()) {
			t.Fatal("refused")
		}
	}
	return serveList(t, list, s)
}

func serveList(t *testing.T, list *wscore.ProtocolList, s wscore.ProcessSettings) (*wscore.Handler, string) {
	s.Conn.CloseTimeout = 200 * time.Millisecond
	h := wscore.NewHandler(list, s)
	hs := httptest.NewServer(h)
	t.Cleanup(func() {
		shutdown(t, h)
		hs.Close()
	})
	return h, hs.URL
}

func shutdown(t *testing.T, h *wscore.Handler) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

func want(t *testing.T, events chan string, list ...string) {
	t.Helper()
	for _, w := range list {
		select {
		case got := <-events:
			if got != w {
				t.Fatalf("got %q, want %q", got, w)
			}
		case <-time.After(limit):
			t.Fatalf("%q did not come", w)
		}
	}
}

func dial(t *testing.T, u string, names ...string) *wscore.Conn {
	t.Helper()
	c, _, err := wscore.Dial(await.Context(t), u, &wscore.Settings{Subprotocols: names}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantRead(t *testing.T, c *wscore.Conn, want string) {
	t.Helper()
	if _, got, err := c.Read(await.Context(t)); err != nil || string(got) != want {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

func TestNamedAndNameless(t *testing.T) {
	named, namedEvents := told("meow", "")
	room, roomEvents := told("chat", "/room")
	nameless, namelessEvents := told("", "/nameless")
	_, u := serve(t, wscore.ProcessSettings{NotifyAllFrames: true}, named, room, nameless)
	for _, tt := range []struct {
		path, name string
		chat       *chat.Chat
		events     chan string
	}{{"/any", "meow", named, namedEvents}, {"/room", "chat", room, roomEvents}, {"/nameless", "", nameless, namelessEvents}} {
		var names []string
		if tt.name != "" {
			names = []string{tt.name}
		}
		c := dial(t, u+tt.path, names...)
		if c.Subprotocol() != tt.name {
			t.Errorf("subprotocol %q", c.Subprotocol())
		}
		want(t, tt.events, "open")
		if tt.chat.Len() != 1 {
			t.Errorf("%d members", tt.chat.Len())
		}
		for _, s := range []string{"hello", "", "again"} {
			_ = c.Send(wscore.OpText, []byte(s))
			wantRead(t, c, s)
			want(t, tt.events, "message 1 "+s)
		}
		_ = c.Send(wscore.OpBinary, []byte{1})
		wantRead(t, c, "\x01")
		_ = c.Ping([]byte("p"))
		want(t, tt.events, "message 2 \x01", "control 9 p")
		_ = c.Close(wscore.CloseNormal, "")
		_, _, _ = c.Read(await.Context(t))
		want(t, tt.events, "control 8 \x03\xe8", "close true 1000")
		if tt.chat.Len() != 0 {
			t.Errorf("%d members", tt.chat.Len())
		}
	}
}

func TestSendAndBroadcast(t *testing.T) {
	c, events := told("meow", "")
	_, u := serve(t, wscore.ProcessSettings{}, c)
	var conns []*wscore.Conn
	for range 3 {
		conns = append(conns, dial(t, u, "meow"))
		want(t, events, "open")
	}
	ids := map[string]*wscore.Process{}
	for p := range c.Members() {
		if err := c.SendJSON(p.ID(), map[string]string{"id": fmt.Sprint(p.ID())}); err != nil {
			t.Error(err)
		}
		ids[fmt.Sprintf(`{"id":"%d"}`, p.ID())] = p
	}
	_, first, err := conns[0].Read(await.Context(t))
	p := ids[string(first)]
	if err != nil || p == nil {
		t.Fatalf("%s, %v", first, err)
	}
	for _, other := range conns[1:] {
		if _, _, err := other.Read(await.Context(t)); err != nil {
			t.Fatal(err)
		}
	}
	if n := c.Broadcast(wscore.OpText, []byte("all")); n != 3 {
		t.Errorf("%d took it", n)
	}
	if n, err := c.BroadcastJSON([]int{1}, p); n != 2 || err != nil {
		t.Errorf("%d took it, %v", n, err)
	}
	if err := c.Send(p.ID(), wscore.OpText, []byte("you")); err != nil {
		t.Error(err)
	}
	for i, list := range [][]string{{"all", "you"}, {"all", "[1]"}, {"all", "[1]"}} {
		for _, s := range list {
			wantRead(t, conns[i], s)
		}
	}
	if err := c.Send(p.ID()+1, wscore.OpText, nil); !errors.Is(err, chat.ErrNoMember) {
		t.Error(err)
	}
	if n := c.Broadcast(wscore.OpPing, nil); n != 0 {
		t.Errorf("a ping was broadcast to %d", n)
	}
	if _, err := c.BroadcastJSON(func() {}); err == nil {
		t.Error("a function is JSON")
	}
	if err := c.SendJSON(p.ID(), func() {}); err == nil {
		t.Error("a function is JSON")
	}
}

// A panic in a callback ends that connection and harms no other.
func TestPanicInACallback(t *testing.T) {
	c, events := told("meow", "")
	_, u := serve(t, wscore.ProcessSettings{}, c)
	bad, good := dial(t, u, "meow"), dial(t, u, "meow")
	want(t, events, "open", "open")
	_ = bad.Send(wscore.OpText, []byte("panic"))
	var ce *wscore.CloseError
	if _, _, err := bad.Read(await.Context(t)); !errors.As(err, &ce) || ce.Code != wscore.CloseInternal {
		t.Errorf("got %v", err)
	}
	want(t, events, "message 1 panic", "close true 1011")
	_ = good.Send(wscore.OpText, []byte("still here"))
	wantRead(t, good, "still here")
}

// The same Chat type is the client's side.
func TestClientSide(t *testing.T) {
	server, serverEvents := told("meow", "")
	_, u := serve(t, wscore.ProcessSettings{}, server)
	heard := make(chan string, 10)
	side := chat.New(chat.Options{Name: "meow", OnMessage: func(_ *wscore.Process, _ wscore.Opcode, data []byte) { heard <- string(data) }})
	client := wscore.NewClient(u, side.Spec(), wscore.ClientSettings{})
	p, err := client.Connect(await.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	want(t, serverEvents, "open")
	_ = p.Send(wscore.OpText, []byte("hi"))
	want(t, heard, "hi")
	if err := client.Close(await.Context(t)); err != nil {
		t.Error(err)
	}
	want(t, serverEvents, "message 1 hi", "close true 1000")
	if side.Len() != 0 {
		t.Errorf("%d members", side.Len())
	}
}

// A room in which each hears what the others say.
func Example() {
	var room *chat.Chat
	room = chat.New(chat.Options{Name: "meow", OnMessage: func(p *wscore.Process, op wscore.Opcode, data []byte) {
		room.Broadcast(op, data)
	}})
	list := new(wscore.ProtocolList)
	list.Add(room.Spec())
	hs := httptest.NewServer(wscore.NewHandler(list, wscore.ProcessSettings{}))
	defer hs.Close()

	ctx := context.Background()
	conn, _, err := wscore.Dial(ctx, hs.URL, &wscore.Settings{Subprotocols: []string{"meow"}}, nil)
	if err != nil {
		panic(err)
	}
	_ = conn.Send(wscore.OpText, []byte("hello, room"))
	_, data, err := conn.Read(ctx)
	fmt.Printf("%s %v\n", data, err)
	// Output: hello, room <nil>
}
