package socketio

import "maps"

// registry maps names to what was registered for them, of a namespace or of a socket. It
// is immutable; set makes a new one, without a copy of what there is: programs register
// thousands of names before the first event. The zero value is empty.
type registry[T any] struct {
	all    map[string]T
	latest *named[T] // what was set since; nil: all is all there is
	since  int       // how much
}

// maxAdditions is how many calls of set may wait for somebody who looks, beside one for
// each name there is.
const maxAdditions = 64

// named is one call of set, after others.
type named[T any] struct {
	before *named[T]
	name   string
	v      T
	gone   bool
}

// set returns r with v for a name; gone takes the name out.
func (r registry[T]) set(name string, v T, gone bool) registry[T] {
	r.latest = &named[T]{r.latest, name, v, gone}
	r.since++
	if r.since > len(r.all)+maxAdditions { // nobody has looked for long
		return r.folded()
	}
	return r
}

// folded returns r with everything in all.
func (r registry[T]) folded() registry[T] {
	if r.latest == nil {
		return r
	}
	all := make(map[string]T, len(r.all)+r.since)
	maps.Copy(all, r.all)
	later := make(map[string]struct{}, r.since)
	for s := r.latest; s != nil; s = s.before {
		if _, ok := later[s.name]; ok {
			continue
		}
		later[s.name] = struct{}{}
		if all[s.name] = s.v; s.gone {
			delete(all, s.name)
		}
	}
	return registry[T]{all: all}
}
