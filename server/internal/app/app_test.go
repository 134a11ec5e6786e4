package app

import (
	"context"
	"errors"
	"io"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

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
	log := logrus.New()
	log.SetOutput(io.Discard)
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
	return a, regexp.MustCompile(`http://\S+`).FindString(string(line[:n])), stop, done
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
	if err := Healthcheck("127.0.0.1:gopher"); errors.As(err, &ue) && ue.Op == "parse" {
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
