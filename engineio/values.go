package engineio

import (
	"context"
	"net/http"
	"reflect"
	"sync"
)

// links remembers where the contexts of package context have their parents and
// their keys, since looking for a field costs more than all the rest. The zero
// value is ready.
type links struct{ of sync.Map } // reflect.Type: link

// link is where a pointer to a context of package context has its parent and its
// key, if it has; parent is nil for all other types.
type link struct{ parent, key []int }

// requestValues returns a context that carries the values of a request's and is
// never cancelled. What net/http itself put there, cancellation and two values
// about the server, would cost half a kilobyte for as long as the session
// lives: when there is nothing else the result is the background. Where the
// chain has a link of unknown make all of it is kept.
func (ls *links) requestValues(ctx context.Context) context.Context {
	for c := ctx; ; {
		if c == context.Background() {
			return c
		}
		v := reflect.ValueOf(c)
		l := ls.link(v.Type())
		if l.parent == nil || l.key != nil && !httpKey(v.Elem().FieldByIndex(l.key)) {
			return context.WithoutCancel(ctx)
		}
		next, ok := v.Elem().FieldByIndex(l.parent).Interface().(context.Context)
		if !ok {
			return context.WithoutCancel(ctx)
		}
		c = next
	}
}

// link returns that of a type.
func (ls *links) link(t reflect.Type) link {
	if l, ok := ls.of.Load(t); ok {
		return l.(link)
	}
	var l link
	if t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && t.Elem().PkgPath() == "context" {
		if f, ok := t.Elem().FieldByName("Context"); ok && f.Type.Kind() == reflect.Interface {
			l.parent = f.Index
		}
		if f, ok := t.Elem().FieldByName("key"); ok {
			l.key = f.Index
		}
	}
	ls.of.Store(t, l)
	return l
}

// httpKey reports whether key is one of net/http's own.
func httpKey(key reflect.Value) bool {
	if key.Kind() != reflect.Interface || key.Elem().Kind() != reflect.Pointer {
		return false
	}
	p := key.Elem().Pointer()
	return p == reflect.ValueOf(http.ServerContextKey).Pointer() || p == reflect.ValueOf(http.LocalAddrContextKey).Pointer()
}
