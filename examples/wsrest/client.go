package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/rest"
)

// watch is the client: it shows the notes and what changes, and takes lines
// from in: a text is a new note, "-3" deletes note 3.
func watch(base string, in io.Reader, out io.Writer) error {
	say := printer(out)
	ws := wscore.NewClient(base+"/ws", rest.Binary(rest.Options{Handler: told(say)}), wscore.ClientSettings{
		OnLost: func(err error, attempt int) { say("cut off (%d): %v", attempt, err) },
	})
	ctx := context.Background()
	if _, err := ws.Connect(ctx); err != nil {
		return err
	}
	// An ordinary http.Client; its requests go over the socket.
	hc := &http.Client{Transport: rest.Transport(ws)}
	if err := show(hc, say); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if err := do(hc, lines.Text()); err != nil {
			say("%v", err)
		}
	}
	return ws.Close(ctx)
}

// told handles what the server calls.
func told(say func(string, ...any)) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var n note
		if json.NewDecoder(r.Body).Decode(&n) == nil {
			say("%s %d %s", strings.TrimPrefix(r.URL.Path, "/changed/"), n.ID, n.Text)
		}
	})
}

func show(hc *http.Client, say func(string, ...any)) error {
	res, err := hc.Get("http://server/notes")
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	var list []note
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		return err
	}
	say("%d notes", len(list))
	for _, n := range list {
		say("%d %s", n.ID, n.Text)
	}
	return nil
}

// do what a line says.
func do(hc *http.Client, line string) error {
	req, err := http.NewRequest(http.MethodDelete, "http://server/notes/"+strings.TrimPrefix(line, "-"), nil)
	if !strings.HasPrefix(line, "-") {
		body, _ := json.Marshal(note{Text: line})
		req, err = http.NewRequest(http.MethodPost, "http://server/notes", bytes.NewReader(body))
	}
	if err != nil {
		return err
	}
	res, err := hc.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= 400 {
		b, _ := io.ReadAll(res.Body)
		return fmt.Errorf("%d: %s", res.StatusCode, bytes.TrimSpace(b))
	}
	return nil
}

// printer writes lines from any goroutine.
func printer(out io.Writer) func(string, ...any) {
	var mu sync.Mutex
	return func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintf(out, format+"\n", args...)
	}
}
