package noise_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/chat"
	"github.com/hermod-io/hermod/wscore/noise"
)

// Why there is no protection was only logged: a client whose own configuration was
// bad, or whose peer said nothing, got a bare close code.
func TestCauses(t *testing.T) {
	silent := wscore.ProtocolSpec{Names: []string{"x"}, New: func(*wscore.Process) wscore.Protocol { return listener{make(chan string, 10)} }}
	_, cc := sides(noise.NK, noise.ChaChaPoly)
	_, mutual := sides(noise.XX, noise.ChaChaPoly)
	refuses := errors.New("no")
	for name, tt := range map[string]struct {
		server func() wscore.ProtocolSpec
		change func(c *noise.Config)
		want   error
	}{
		"silence": {func() wscore.ProtocolSpec { return silent }, func(c *noise.Config) { *c = cc; c.Timeout = 20 * time.Millisecond }, noise.ErrTimeout},
		"no key":  {func() wscore.ProtocolSpec { return silent }, func(c *noise.Config) { *c = cc; c.PeerKey = noise.PublicKey{} }, noise.ErrConfig},
		"half a key": {func() wscore.ProtocolSpec { return silent }, func(c *noise.Config) {
			*c = mutual
			c.Key.Public = noise.PublicKey{}
		}, noise.ErrConfig},
		"refused": {func() wscore.ProtocolSpec {
			sc, _ := sides(noise.XX, noise.ChaChaPoly)
			spec, _ := telling("x")
			return noise.Protect(spec, sc)
		}, func(c *noise.Config) {
			*c = mutual
			c.Verify = func(*wscore.Process, noise.PublicKey) error { return refuses }
		}, refuses},
	} {
		t.Run(name, func(t *testing.T) {
			_, u := serve(t, tt.server(), wscore.ProcessSettings{})
			var c noise.Config
			tt.change(&c)
			cs, events := telling("x")
			_, _, err := client(t, u, noise.Protect(cs, c))
			var ce *wscore.CloseError
			if !errors.Is(err, tt.want) || !errors.As(err, &ce) || ce.Code != wscore.ClosePolicy || ce.Remote {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			want(t, events, "close")
		})
	}
}

// Below the encryption all messages are binary, so that nobody looked whether a text
// is one.
func TestTextIsUTF8(t *testing.T) {
	sc, cc := sides(noise.NK, noise.ChaChaPoly)
	ss, events := telling("x")
	_, u := serve(t, noise.Protect(ss, sc), wscore.ProcessSettings{})
	cs, _ := telling("x")
	_, p, err := client(t, u, noise.Protect(cs, cc))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Send(wscore.OpText, []byte("\xff")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Done():
	case <-time.After(limit):
		t.Fatal("it is heard")
	}
	var ce *wscore.CloseError
	if err := p.Err(); !errors.As(err, &ce) || ce.Code != wscore.CloseInvalidPayload || !ce.Remote {
		t.Errorf("got %v", err)
	}
	want(t, events, "open false 00000000", "close")
}

// A message that the send queue dropped had been encrypted already: the next one
// could not be opened, and the connection was lost.
func TestDropNewestWithin(t *testing.T) {
	sc, cc := sides(noise.NK, noise.ChaChaPoly)
	heard, stall := make(chan string, 100_000), make(chan struct{})
	ss := wscore.ProtocolSpec{Names: []string{"x"}, New: func(*wscore.Process) wscore.Protocol { return listener{heard} }}
	_, u := serve(t, noise.Protect(ss, sc), wscore.ProcessSettings{BeforeMessage: func(*wscore.Process, wscore.Opcode, []byte) bool { <-stall; return false }})
	spec := noise.Protect(wscore.ProtocolSpec{Names: []string{"x"}, New: newEcho}, cc)
	c := wscore.NewClient(u, spec, wscore.ClientSettings{NoReconnect: true, ProcessSettings: wscore.ProcessSettings{
		Conn: wscore.Settings{Queue: wscore.Queue{Bytes: 200_000, OnFull: wscore.DropNewest}}}})
	p, err := c.Connect(await.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	var sent []string
	for dropped, i := 0, 0; dropped < 3; i++ {
		text := fmt.Sprint(i, strings.Repeat("x", 60_000))
		switch err := p.Send(wscore.OpText, []byte(text)); {
		case err == nil:
			sent = append(sent, text)
		case errors.Is(err, wscore.ErrQueueFull):
			dropped++
		default:
			t.Fatal(err)
		}
	}
	close(stall)
	want(t, heard, sent...)
	last := "it lives"
	for end := time.Now().Add(limit); p.Send(wscore.OpText, []byte(last)) != nil; {
		if time.Now().After(end) || p.State() != wscore.StateRun {
			t.Fatal(p.Err())
		}
		runtime.Gosched()
	}
	want(t, heard, last)
	if err := c.Close(await.Context(t)); err != nil {
		t.Error(err)
	}
}

// The application's OnClose was called for peers that OnOpen had never told of.
func TestChatWithinATheHandshakeThatFails(t *testing.T) {
	sc, cc := sides(noise.XX, noise.ChaChaPoly)
	sc.Verify = noise.Allow(otherKey.Public)
	events, gone := make(chan string, 10), make(chan struct{})
	room := chat.New(chat.Options{Name: "x",
		OnOpen:  func(*wscore.Process) { events <- "open" },
		OnClose: func(*wscore.Process, error) { events <- "close" },
	})
	h, u := serve(t, noise.Protect(room.Spec(), sc), wscore.ProcessSettings{OnDisconnect: func(*wscore.Process, error) { close(gone) }})
	cs, _ := telling("x")
	_, _, _ = client(t, u, noise.Protect(cs, cc))
	select {
	case <-gone:
	case <-time.After(limit):
		t.Fatal("the connection does not end")
	}
	if len(events) > 0 || room.Len() != 0 || h.Len() > 1 {
		t.Errorf("%s, %d members", <-events, room.Len())
	}
}

// A key that is logged by accident does not tell its private half.
func TestKeysAreNotPrinted(t *testing.T) {
	c := noise.Config{Key: serverKey, PSK: []byte("0123456789abcdef0123456789abcdef")}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		for _, v := range []any{serverKey, &serverKey, c, &c} {
			s := fmt.Sprintf(format, v)
			for _, secret := range []string{hex.EncodeToString(serverKey.Private[:]), fmt.Sprint(serverKey.Private[0], serverKey.Private[1], serverKey.Private[2]),
				fmt.Sprintf("%#x, %#x", serverKey.Private[0], serverKey.Private[1]), "48 49 50 51", "0x30, 0x31", "30313233", "0123456789"} {
				if strings.Contains(s, secret) {
					t.Errorf("%s of a %T: %s", format, v, s)
				}
			}
		}
	}
}

// What is no file of a key is said by its name, and nothing is waited for.
func TestKeyFilesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	long := filepath.Join(dir, "long")
	if err := os.WriteFile(long, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	zero := filepath.Join(dir, "short")
	if err := os.WriteFile(zero, []byte("x25519-private-key 0011"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{long, zero, "/dev/null"} {
		if _, err := noise.LoadKeyFile(path); !errors.Is(err, noise.ErrKey) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := noise.LoadKeyFile(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	path := filepath.Join(dir, "mode")
	if err := noise.WriteKeyFile(path, serverKey); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}
