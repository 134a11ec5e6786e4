//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// servePolling serves a connection over long-polling whose first request is r, to
// clients that are idle. The fault "hang up" closes it behind each answer to a
// POST, "ping" sends each client a ping, "surprise" an event.
func (s *fake) servePolling(nc net.Conn, in *bufio.Reader, r *http.Request) {
	for err := error(nil); err == nil; r, err = http.ReadRequest(in) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if answer, ok := s.polled(r, string(body)); ok {
			fmt.Fprintf(nc, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer) // the reader notices
		}
		if r.Method == http.MethodPost && s.fault.kind == "hang up" {
			return
		}
	}
}

// polled returns the answer to a request, if it gets one.
func (s *fake) polled(r *http.Request, body string) (answer string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sid, err := strconv.Atoi(r.URL.Query().Get("sid"))
	switch {
	case err != nil:
		s.polls = append(s.polls, 0)
		return fmt.Sprintf(`0{"sid":"%d"}`, len(s.polls)-1), true
	case r.Method == http.MethodPost:
		if body == "3" {
			s.pongs++
		}
		return "ok", true
	}
	s.polls[sid]++
	switch n := s.polls[sid]; {
	case n == 1:
		return `40{"sid":"y"}`, true
	case n == 2 && s.fault.kind == "surprise":
		return `42["x"]`, true
	case n == 2 && (s.fault.kind == "ping" || s.fault.kind == "hang up"):
		return "2", true
	}
	return "", false
}

// Idle clients over long-polling join, answer pings and wait, also when the server
// closes the connection of what they send; what they do not expect is found.
func TestWaiters(t *testing.T) {
	for kind, c := range map[string]struct {
		pings int64
		want  string
	}{"": {0, ""}, "ping": {5, ""}, "hang up": {5, ""}, "surprise": {0, `answered with "42`}} {
		o := small(serveFake(t, fault{kind: kind}), "idle")
		o.polling, o.browser, o.settle, o.dur = true, true, 100*time.Millisecond, 500*time.Millisecond
		r := perform(o)
		if c.want == "" && r.Error != "" || !strings.Contains(r.Error, c.want) || r.Count != 5 && c.want == "" || r.Pings != c.pings && c.want == "" {
			t.Errorf("%q: %d counted, %d pings, error %q", kind, r.Count, r.Pings, r.Error)
		}
	}
}
