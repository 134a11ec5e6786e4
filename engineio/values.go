package engineio

import (
	"context"
	"net/http"
	"reflect"
)

// requestValues returns a context that carries the values of a request's and is
// never cancelled. What net/http itself put there, cancellation and two values
// about the server, would cost half a kilobyte for as long as the session
// lives: when there is nothing else the result is the background. Where the
// chain has a link of unknown make all of it is kept.
func requestValues(ctx context.Context) context.Context {
	for c := ctx; ; {
		if c == context.Background() {
			return c
		}
		link := reflect.ValueOf(c)
		if link.Kind() != reflect.Pointer || link.Type().Elem().PkgPath() != "context" {
			return context.WithoutCancel(ctx)
		}
		link = link.Elem()
		parent := link.FieldByName("Context")
		if !parent.IsValid() || parent.Kind() != reflect.Interface || link.FieldByName("key").IsValid() && !httpKey(link.FieldByName("key")) {
			return context.WithoutCancel(ctx)
		}
		next, ok := parent.Interface().(context.Context)
		if !ok {
			return context.WithoutCancel(ctx)
		}
		c = next
	}
}

// httpKey reports whether key is one of net/http's own.
func httpKey(key reflect.Value) bool {
	if key.Kind() != reflect.Interface || key.Elem().Kind() != reflect.Pointer {
		return false
	}
	p := key.Elem().Pointer()
	return p == reflect.ValueOf(http.ServerContextKey).Pointer() || p == reflect.ValueOf(http.LocalAddrContextKey).Pointer()
}
