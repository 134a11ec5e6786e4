package main

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/hermod-io/hermod/socketio"
)

// dynamic declares the parents of namespaces that are made as clients ask for
// them.
func (a *app) dynamic() {
	a.parents = map[string]*socketio.Namespace{
		"numbered": a.srv.OfRegexp(regexp.MustCompile(`^/dyn-(\d+)$`)),
	}
	a.parents["asked"] = a.srv.OfFunc(asked)
	a.parents["fallback"] = a.srv.OfRegexp(regexp.MustCompile(`^/(dyn-7|asked-error)$`))
	for name, parent := range a.parents {
		parent.Use(func(ctx context.Context, s *socketio.Socket) error {
			p, err := wait(ctx, s, 0)
			if err == nil && p.Refuse {
				err = errors.New("refused by the parent")
			}
			return err
		})
		parent.OnConnect(func(ctx context.Context, s *socketio.Socket) error {
			return s.Emit("parent", name, s.Namespace().Name())
		})
		a.watch(parent)
		a.events(parent)
	}
}

// asked wants what begins with "/asked-" of clients that have the key.
func asked(ctx context.Context, name string, h *socketio.Handshake) (bool, error) {
	var auth struct {
		Key  string `json:"key"`
		Wait int64  `json:"wait"`
	}
	if err := h.DecodeAuth(&auth); err != nil {
		return false, err
	}
	select {
	case <-time.After(millis(auth.Wait)):
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if name == "/asked-error" {
		return true, errors.New("on purpose")
	}
	return strings.HasPrefix(name, "/asked-") && auth.Key == "open", nil
}
