package args

import (
	"sync"

	"github.com/hermod-io/hermod/socketio/event"
)

// Decoder decodes arguments into a T: the first one, or several if T is a struct
// with event.Args. It may be used from any goroutine. The values that it
// decodes into are used again, so that an event does not cost one.
type Decoder[T any] struct {
	several bool // T stands for several arguments
	values  sync.Pool
}

// NewDecoder returns a Decoder.
func NewDecoder[T any]() *Decoder[T] {
	d := &Decoder[T]{several: Several[T]()}
	d.values.New = func() any { return new(T) }
	return d
}

// Decode decodes a. An argument that is missing or of the wrong type is an
// *ArgError; surplus ones are ignored.
func (d *Decoder[T]) Decode(a Args) (v T, err error) {
	p := d.values.Get().(*T)
	if d.several {
		err = a.Scan(event.Targets(p)...)
	} else {
		err = a.Decode(0, p)
	}
	v = *p
	var zero T
	*p = zero // what was decoded is the handler's
	d.values.Put(p)
	return v, err
}

// Several reports whether T stands for several arguments: a struct with
// event.Args, or a pointer to one.
func Several[T any]() bool {
	p := new(T)
	targets := event.Targets(p)
	return len(targets) != 1 || targets[0] != any(p)
}
