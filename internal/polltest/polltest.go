package polltest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// patience bounds every wait.
const patience = 20 * time.Second

// Client is one connection, joined to the main namespace. It belongs to the
// test's goroutine. A failure ends the test.
type Client struct {
	t    testing.TB
	base string
	box  []string // received and not asked for yet
}

// Dial connects to the server at base, such as "http://127.0.0.1:3000", with the
// official path, and joins the main namespace.
func Dial(t testing.TB, base string) *Client {
	t.Helper()
	c := &Client{t: t, base: base + "/socket.io/?EIO=4&transport=polling"}
	open := c.do(http.MethodGet, "")
	var shake struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(open, "0")), &shake); err != nil || shake.SID == "" {
		t.Fatalf("polltest: no handshake but %q", open)
	}
	c.base += "&sid=" + url.QueryEscape(shake.SID)
	c.Send("40")
	if p := c.Next(); !strings.HasPrefix(p, `40{"sid":`) {
		t.Fatalf("polltest: no answer to CONNECT but %q", p)
	}
	return c
}

// Send sends packets, each with its Engine.IO type.
func (c *Client) Send(packets ...string) {
	c.t.Helper()
	if ok := c.do(http.MethodPost, strings.Join(packets, "\x1e")); ok != "ok" {
		c.t.Fatalf("polltest: a POST is answered by %q", ok)
	}
}

// Next waits for the next packet but pings, which it answers.
func (c *Client) Next() string {
	c.t.Helper()
	for {
		if len(c.box) == 0 {
			c.box = strings.Split(c.do(http.MethodGet, ""), "\x1e")
		}
		p := c.box[0]
		c.box = c.box[1:]
		switch p {
		case "2":
			c.Send("3")
		case "6":
		default:
			return p
		}
	}
}

// Want waits for packet, and passes over others.
func (c *Client) Want(packet string) {
	c.t.Helper()
	var passed []string
	for range 100 {
		p := c.Next()
		if p == packet {
			return
		}
		passed = append(passed, p)
	}
	c.t.Fatalf("polltest: %q does not come, but %q", packet, passed)
}

func (c *Client) do(method, body string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatalf("polltest: %s: %v", method, err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		c.t.Fatalf("polltest: %s: %s %q %v", method, res.Status, b, err)
	}
	return string(b)
}
