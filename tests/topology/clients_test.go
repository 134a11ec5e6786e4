//go:build node

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/internal/proc"
)

// clients are official ones in a room of the chat, some of each mode.
type clients struct {
	*running
	url string // of clients.mjs
	n   int
}

// state is how one client is.
type state struct {
	Mode, Transport, Node       string
	Joined, Talking             bool
	Losses, Acked, Heard, Files int
}

// voice is what one client has said and heard.
type voice struct {
	Name  string
	Heard [][2]string // who, what
	Acked []string
	Again []string // what was not acknowledged at once
}

const texts = 10 // that each says in a round

// newClients starts so many clients of each mode, and waits until all are in the
// room by the transport that they want.
func newClients(t *testing.T, r *running, each int) *clients {
	t.Helper()
	c := &clients{running: r, n: 3 * each}
	arg := fmt.Sprintf(`{"url":%q,"each":%d}`, r.url, each)
	p := proc.Start(t, proc.Command{Path: "node", Args: []string{filepath.Join(proc.Root(t), "tests/topology/clients.mjs"), arg}, Stdin: true})
	c.url = "http://" + p.WaitFor(`^listening (\S+)$`, patience)[1]
	c.allIn(t)
	c.all(t, "have upgraded if they want to", func(s state) bool { return (s.Mode == "polling") == (s.Transport == "polling") })
	return c
}

// tell makes the clients do something.
func (c *clients) tell(t *testing.T, into any, op string, fields ...string) {
	t.Helper()
	q := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		q.Set(fields[i], fields[i+1])
	}
	res, err := (&http.Client{Timeout: patience}).Get(c.url + "/" + op + "?" + q.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if into == nil {
		return
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func (c *clients) states(t *testing.T) (list []state) {
	t.Helper()
	c.tell(t, &list, "state")
	return list
}

// all waits until something holds for all clients.
func (c *clients) all(t *testing.T, what string, ok func(state) bool) {
	t.Helper()
	until(t, "all "+what, func() bool {
		return !slices.ContainsFunc(c.states(t), func(s state) bool { return !ok(s) })
	}, c.show(t))
}

// show is what a failure tells of the clients.
func (c *clients) show(t *testing.T) func() any { return func() any { return c.states(t) } }

// allIn waits until all clients are in the room, and none of them on one of the
// nodes that are named.
func (c *clients) allIn(t *testing.T, but ...string) {
	t.Helper()
	c.all(t, "are in the room", func(s state) bool { return s.Joined && !slices.Contains(but, s.Node) })
}

// silent waits until nobody talks any more.
func (c *clients) silent(t *testing.T) {
	t.Helper()
	c.all(t, "are silent", func(s state) bool { return !s.Talking })
}

func total(list []state, of func(state) int) (n int) {
	for _, s := range list {
		n += of(s)
	}
	return n
}

func losses(s state) int { return s.Losses }

func acked(s state) int { return s.Acked }

// moreAcked waits until the clients have said so much more.
func (c *clients) moreAcked(t *testing.T, n int) {
	t.Helper()
	goal := total(c.states(t), acked) + n
	until(t, fmt.Sprintf("%d are acknowledged", goal), func() bool { return total(c.states(t), acked) >= goal }, c.show(t))
}

// round lets each client talk, and checks that all others hear that once and in
// order. It reports whether no client was disconnected meanwhile; else nothing is
// checked.
func (c *clients) round(t *testing.T, number int) (quiet bool) {
	t.Helper()
	before := c.states(t)
	c.tell(t, nil, "talk", "round", strconv.Itoa(number), "texts", strconv.Itoa(texts), "pace", "100")
	c.silent(t)
	lost := func(now []state) bool { return total(now, losses) > total(before, losses) }
	done := func() bool {
		now := c.states(t)
		if lost(now) {
			return true
		}
		for i := range now {
			if now[i].Heard-before[i].Heard < (c.n-1)*texts {
				return false
			}
		}
		return true
	}
	until(t, fmt.Sprintf("all have heard round %d", number), done, c.show(t))
	if lost(c.states(t)) {
		return false
	}
	report := c.report(t)
	for _, v := range report {
		for _, from := range report {
			want := texts
			if from.Name == v.Name {
				want = 0
			}
			if got := v.of(from.Name, number); !slices.Equal(got, upTo(want)) {
				t.Errorf("round %d: %s heard %v of %s", number, v.Name, got, from.Name)
			}
		}
	}
	return true
}

func (c *clients) report(t *testing.T) (list []voice) {
	t.Helper()
	c.tell(t, &list, "report")
	return list
}

// upTo is 0, 1, …, n-1.
func upTo(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// numbers are the texts of a round.
func numbers(list []string, round int) []int {
	out := []int{}
	for _, text := range list {
		if rest, ok := strings.CutPrefix(text, fmt.Sprintf("%d ", round)); ok {
			n, _ := strconv.Atoi(rest) // clients.mjs writes it
			out = append(out, n)
		}
	}
	return out
}

// of is what the client heard of another in a round.
func (v *voice) of(from string, round int) []int {
	var list []string
	for _, h := range v.Heard {
		if h[0] == from {
			list = append(list, h[1])
		}
	}
	return numbers(list, round)
}

// file lets a client that polls send a file, which nginx has to store before it
// passes it on; all others get it.
func (c *clients) file(t *testing.T) {
	t.Helper()
	var receipt struct {
		ID    string
		Error any
	}
	c.tell(t, &receipt, "file", "bytes", "200000")
	if receipt.ID != "file" || receipt.Error != nil {
		t.Errorf("the answer to a file is %+v", receipt)
	}
	until(t, "all have the file", func() bool {
		return total(c.states(t), func(s state) int { return s.Files }) == c.n-1
	}, c.show(t))
}
