package args

import (
	"reflect"
	"sync"

	"github.com/hermod-io/hermod/socketio/event"
)

// Decoder decodes arguments into a T: the first one, or several if T is a struct
// with event.Args or an event.Rest. It may be used from any goroutine. The values that
// it decodes into are used again, so that an event does not cost one: what it returns
// is a copy, so a T must not refer to itself.
type Decoder[T any] struct {
	several bool // T stands for several arguments
	values  sync.Pool
}

// decoded is what a Decoder decodes into.
type decoded[T any] struct {
	v       T
	targets []any // in v, if T stands for several arguments; nil if they are made for each event
}

// NewDecoder returns a Decoder.
func NewDecoder[T any]() *Decoder[T] {
	d := &Decoder[T]{several: Several[T]()}
	perEvent := reflect.TypeFor[T]().Kind() == reflect.Pointer // a struct for each event
	d.values.New = func() any {
		made := new(decoded[T])
		if d.several && !perEvent {
			made.targets = event.Targets(&made.v)
		}
		return made
	}
	return d
}

// Decode decodes a. An argument that is missing or of the wrong type is an
// *ArgError; surplus ones are ignored.
func (d *Decoder[T]) Decode(a Args) (v T, err error) { return d.decode(&a) }

// Func returns Decode as a function, which does not keep its argument. It needs less of the
// stack, and none of the values that are used again if T is an event.Rest.
func (d *Decoder[T]) Func() func(*Args) (T, error) {
	if rest, ok := any(decodeRest).(func(*Args) (T, error)); ok {
		return rest
	}
	return d.decode
}

func decodeRest(a *Args) (event.Rest, error) { return a.values(0) }

func (d *Decoder[T]) decode(a *Args) (v T, err error) {
	p := d.values.Get().(*decoded[T])
	switch {
	case p.targets != nil:
		err = a.Scan(p.targets...)
	case d.several:
		err = a.Scan(event.Targets(&p.v)...)
	default:
		err = a.Decode(0, &p.v)
	}
	v = p.v
	var zero T
	p.v = zero // what was decoded is the handler's
	d.values.Put(p)
	return v, err
}

// Several reports whether T stands for several arguments: a struct with
// event.Args, a pointer to one, or an event.Rest.
func Several[T any]() bool {
	p := new(T)
	if _, ok := any(p).(*event.Rest); ok {
		return true
	}
	targets := event.Targets(p)
	return len(targets) != 1 || targets[0] != any(p)
}

// Split is event.Split of *v, without an allocation for an event.Rest.
func Split[T any](v *T) []any {
	if rest, ok := any(v).(*event.Rest); ok {
		return *rest
	}
	return event.Split(*v)
}
