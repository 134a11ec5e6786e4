package app

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	logtest "github.com/sirupsen/logrus/hooks/test"

	"github.com/hermod-io/hermod/internal/polltest"
	"github.com/hermod-io/hermod/server/internal/config"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/wscore"
)

const patience = time.Minute

// start runs an App of these flags, and returns its address. stop has it drained.
func start(t *testing.T, args ...string) (a *App, addr string, stop context.CancelFunc, ended <-chan error) {
	t.Helper()
	cfg, err := config.Parse(append([]string{"-addr", "127.0.0.1:0", "-shutdown-timeout", "1h"}, args...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	log, _ := logtest.NewNullLogger()
	if a, err = New(t.Context(), cfg, log); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, in) }() // ends with ctx
	line := make([]byte, 100)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	return a, regexp.MustCompile(`https?://\S+`).FindString(string(line[:n])), stop, done
}

// finish ends the program that start has begun.
func finish(t *testing.T, stop func(), ended <-chan error) {
	t.Helper()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Plain sockets are closed at once, however long those of Socket.IO take.
func TestPlainSocketsDoNotWait(t *testing.T) {
	a, addr, stop, ended := start(t, "-ws-chat")
	held, release := make(chan struct{}), make(chan struct{})
	a.sio.On("hold", func(context.Context, *socketio.Socket, *socketio.Event) error {
		close(held)
		<-release
		return nil
	})
	polltest.Dial(t, addr).Send(`42["hold"]`)
	<-held
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := wscore.Dial(ctx, addr+"/ws/chat", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	var ce *wscore.CloseError
	if _, _, err := c.Read(ctx); !errors.As(err, &ce) || ce.Code != wscore.CloseGoingAway {
		t.Errorf("the chat ended with %v", err)
	}
	select {
	case err := <-ended:
		t.Errorf("Run has returned %v, while a handler runs", err)
	default:
	}
	close(release)
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-ctx.Done():
		t.Error("Run does not return")
	}
}

// What can be listened on can be asked, also a port by its name.
func TestHealthcheckOfANamedPort(t *testing.T) {
	var ue *url.Error
	if err := Healthcheck("127.0.0.1:gopher", false); errors.As(err, &ue) && ue.Op == "parse" {
		t.Error(err)
	}
}

// What is said of the queue of a client holds for plain sockets, too.
func TestPlainSocketsHaveTheQueue(t *testing.T) {
	a, _, stop, ended := start(t, "-queue-bytes", "5000", "-queue-packets", "50", "-queue-drop-newest")
	if q := a.plainSockets(nil).Queue; q != (wscore.Queue{Bytes: 5000, Packets: 50, OnFull: wscore.DropNewest}) {
		t.Errorf("queue %+v", q)
	}
	finish(t, stop, ended)
}

// faulty is a listener whose Accept fails as these say, one after the other.
type faulty struct {
	net.Listener
	failures []error
}

func (l *faulty) Accept() (net.Conn, error) {
	if len(l.failures) == 0 {
		return l.Listener.Accept()
	}
	err := l.failures[0]
	l.failures = l.failures[1:]
	return nil, err
}

// temporary is an error behind which net/http tries again.
type temporary struct{ error }

func (temporary) Timeout() bool   { return false }
func (temporary) Temporary() bool { return true }

// When the listener fails for good the clients are taken leave of as at any other end;
// what net/http has to say goes to the log of the program.
func TestListenerFails(t *testing.T) {
	cfg, err := config.Parse([]string{"-addr", "127.0.0.1:0", "-ws-chat"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	log, lines := logtest.NewNullLogger()
	a, err := New(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.serve(t.Context(), &faulty{l, []error{temporary{errors.New("too many files")}, broken}}); err != broken {
		t.Errorf("serve: %v", err)
	}
	var got []string
	for _, e := range lines.AllEntries() {
		got = append(got, e.Level.String()+" "+e.Message)
	}
	text := strings.Join(got, "\n")
	for _, want := range []string{"warning http: Accept error: too many files", "info draining", "info stopped"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
