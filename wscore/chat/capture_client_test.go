package chat_test

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/chat"
)

// What a mORMot server said is said to our client, which says what mORMot's did.
func TestRecordedServers(t *testing.T) {
	for _, s := range scenarios(t) {
		t.Run(s.Name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			served := make(chan error, 1)
			go func() { served <- s.script(t, l) }() // ends with its connection

			app := newWitness()
			s.converse(t, l.Addr().String(), app)
			waitGone(t, app)
			if err := <-served; err != nil {
				t.Error(err)
			}
			if got, want := app.list(), saw(s.ClientLog, "frame"); !slices.Equal(got, want) {
				t.Errorf("the application was told\n%v, want\n%v", got, want)
			}
		})
	}
}

// converse is the client's application: it says what the recorded one said, and
// waits for what that one heard.
func (s *scenario) converse(t *testing.T, addr string, app *witness) {
	request, _ := s.upgrade()
	path := strings.Fields(request)[1]
	heard := make(chan frame, 10)
	hear := func(_ *wscore.Process, op wscore.Opcode, data []byte) {
		heard <- frame{Opcode: byte(op), payload: slices.Clone(data)}
	}
	o := app.options(s.Server.Protocol, "", hear)
	o.OnControl = hear
	side := chat.New(o)
	settings := wscore.ClientSettings{NoReconnect: true}
	settings.NotifyAllFrames = true
	if s.Server.HeartbeatClient > 0 {
		settings.HeartbeatDelay, settings.PongTimeout, settings.MaxInvalidHeartbeats = 100*time.Millisecond, 100*time.Millisecond, -1
	}
	client := wscore.NewClient("ws://"+addr+path, side.Spec(), settings)
	p, err := client.Connect(await.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close(context.Background()) })
	for i := range s.Frames {
		f := &s.Frames[i]
		op := wscore.Opcode(f.Opcode)
		switch {
		case f.Dir == "s2c":
			select {
			case got := <-heard:
				if got.Opcode != f.Opcode || string(got.payload) != string(f.body(t)) {
					t.Fatalf("heard %d %.100q", got.Opcode, got.payload)
				}
			case <-time.After(limit):
				t.Fatalf("%s was not heard", f.Header)
			}
		case op == wscore.OpClose:
			_ = p.Close(wscore.CloseNoStatus, "")
		case op == wscore.OpText || op == wscore.OpBinary:
			if err := p.Send(op, f.body(t)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// script is the recorded server.
func (s *scenario) script(t *testing.T, l net.Listener) error {
	c, err := l.Accept()
	if err != nil {
		return err
	}
	w := newWire(t, c)
	defer func() { _ = c.Close() }()
	if err := s.answer(w); err != nil {
		return err
	}
	for i := range s.Frames {
		f := &s.Frames[i]
		if f.Dir == "s2c" {
			if err := w.write(f.bytes(t)); err != nil {
				return err
			}
			continue
		}
		got, err := w.read()
		for err == nil && got.Opcode == byte(wscore.OpPing) && f.Opcode != got.Opcode && s.Server.HeartbeatClient > 0 {
			got, err = w.read() // one more heartbeat, on a slow machine
		}
		if err != nil {
			return fmt.Errorf("%w instead of %s", err, f.Header)
		}
		n := len(f.Header)/2 - 4 // the rest is the mask, which is random
		if !got.Masked || fmt.Sprintf("%x", got.head[:n]) != f.Header[:2*n] || string(got.payload) != string(f.body(t)) {
			return fmt.Errorf("frame %x %.100q, want %s", got.head, got.payload, f.Header)
		}
	}
	_ = c.(*net.TCPConn).CloseWrite()
	if _, err := w.r.ReadByte(); err != io.EOF {
		return fmt.Errorf("the stream goes on: %v", err)
	}
	return nil
}

var recordedAccept = regexp.MustCompile(`(?m)^(Sec-WebSocket-Accept: ).*\r$`)

// answer reads the upgrade, compares it with the recorded one and answers as
// recorded.
func (s *scenario) answer(w *wire) error {
	got, err := http.ReadRequest(w.r)
	if err != nil {
		return err
	}
	request, response := s.upgrade()
	want, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request)))
	if err != nil {
		return err
	}
	if got.RequestURI != want.RequestURI || got.Method != want.Method {
		return fmt.Errorf("%s %s, want %s %s", got.Method, got.RequestURI, want.Method, want.RequestURI)
	}
	for _, name := range []string{"Connection", "Upgrade", "Sec-Websocket-Version", "Sec-Websocket-Protocol"} {
		if !slices.Equal(got.Header[name], want.Header[name]) {
			return fmt.Errorf("%s: %q, want %q", name, got.Header[name], want.Header[name])
		}
	}
	key := got.Header.Get("Sec-Websocket-Key")
	if b, err := base64.StdEncoding.DecodeString(key); err != nil || len(b) != 16 {
		return errors.New("a bad key: " + key)
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	accept := base64.StdEncoding.EncodeToString(sum[:])
	return w.write([]byte(recordedAccept.ReplaceAllString(response, "${1}"+accept+"\r")))
}
