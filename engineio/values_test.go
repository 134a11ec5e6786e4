package engineio

import (
	"context"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"
)

type foreignContext struct{ context.Context }

// compat: socket.request
func TestRequestValues(t *testing.T) {
	type key struct{}
	var remembered links
	for _, c := range []struct {
		name string
		wrap func(context.Context) (context.Context, context.CancelFunc)
		bare bool
	}{
		{"net/http alone", func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} }, true},
		{"a deadline above it", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Hour)
		}, true},
		{"a value", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithValue(ctx, key{}, "v"), func() {}
		}, false},
		{"a value below a cancellation", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithCancel(context.WithValue(ctx, key{}, "v"))
		}, false},
		{"a context of another make", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return foreignContext{context.WithValue(ctx, key{}, "v")}, func() {}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got context.Context
			var want any
			srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				ctx, cancel := c.wrap(r.Context())
				defer cancel()
				want = ctx.Value(key{})
				got = remembered.requestValues(ctx)
			}))
			res, err := http.Get(srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			srv.Close()
			if got.Value(key{}) != want {
				t.Errorf("value %v, want %v", got.Value(key{}), want)
			}
			if got.Err() != nil || got.Done() != nil {
				t.Error("it can be cancelled")
			}
			if c.bare != (got == context.Background()) {
				t.Errorf("kept %v", got)
			}
		})
	}
}

// A type is looked at once.
func TestLinksAreRemembered(t *testing.T) {
	var ls links
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), http.LocalAddrContextKey, 1))
	defer cancel()
	if got := ls.requestValues(ctx); got != context.Background() {
		t.Fatalf("kept %v", got)
	}
	for c := ctx; c != context.Background(); {
		kept, ok := ls.of.Load(reflect.TypeOf(c))
		if !ok {
			t.Fatalf("%T is not remembered", c)
		}
		l := kept.(link)
		if l.parent == nil {
			t.Fatalf("%T has no parent", c)
		}
		c = reflect.ValueOf(c).Elem().FieldByIndex(l.parent).Interface().(context.Context)
	}
}
