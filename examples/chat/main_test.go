package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/internal/polltest"
)

func TestChat(t *testing.T) {
	h, err := newHandler()
	if err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewServer(h)
	defer hs.Close()
	res, err := http.Get(hs.URL)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if !strings.Contains(string(body), "<form") {
		t.Errorf("the page is %.80q", body)
	}
	ann, bob := polltest.Dial(t, hs.URL), polltest.Dial(t, hs.URL)
	ann.Send(`42["say","hello"]`)
	for _, c := range []*polltest.Client{ann, bob} {
		p := c.Next()
		if !strings.HasPrefix(p, `42["say","`) || !strings.HasSuffix(p, `","hello"]`) {
			t.Errorf("got %q", p)
		}
	}
}
