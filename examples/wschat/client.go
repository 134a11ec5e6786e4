package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/chat"
)

// talk joins the chat of the server at base: it says each line of in, and
// writes what is said to out. It returns at the end of in.
func talk(base, name string, in io.Reader, out io.Writer) error {
	path, err := invited(base, name)
	if err != nil {
		return err
	}
	show := log.New(out, "", 0) // several goroutines write
	side := chat.New(chat.Options{Name: protocol, OnMessage: func(_ *wscore.Process, _ wscore.Opcode, data []byte) {
		var l line
		if err := json.Unmarshal(data, &l); err == nil {
			show.Print(l)
		}
	}})
	client := wscore.NewClient(base+path, side.Spec(), wscore.ClientSettings{
		OnLost:      func(err error, attempt int) { show.Printf("(cut off, attempt %d: %v)", attempt, err) },
		OnReconnect: func(*wscore.Process) { show.Print("(here again)") },
	})
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := client.Connect(ctx); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if p := client.Process(); p == nil || p.Send(wscore.OpText, lines.Bytes()) != nil {
			show.Print("(not sent)")
		}
	}
	end, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	return client.Close(end)
}

// invited asks for the path on which name may connect.
func invited(base, name string) (string, error) {
	res, err := http.PostForm(base+"/join", url.Values{"name": {name}})
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, strings.TrimSpace(string(b)))
	}
	return string(b), err
}

// String is l for a terminal.
func (l line) String() string {
	switch l.Event {
	case "here":
		if len(l.Names) == 0 {
			return "* nobody else is here"
		}
		return "* here: " + strings.Join(l.Names, ", ")
	case "join":
		return "* " + l.From + " came"
	case "leave":
		return "* " + l.From + " left"
	}
	return l.From + ": " + l.Text
}
