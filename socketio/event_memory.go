package socketio

import (
	"reflect"
	"slices"
	"sync"

	"github.com/hermod-io/hermod/internal/bufpool"
	"github.com/hermod-io/hermod/socketio/args"
	"github.com/hermod-io/hermod/socketio/parser"
)

// An Event may be kept, so its memory is the collector's, but where nobody but a
// typed handler has seen it: that has values of its own, and no Event to keep.
// Then it is used again. A benchmark pays for it: ten echoes in flight take a tenth
// less, since most of their garbage are events.

const (
	shortText = 96      // on 64-bit systems 224 bytes with the Event, which is a size that the runtime has
	longText  = 4 << 10 // memory of more is not used again
	roomy     = 4       // nor is that of a long text used for one of less than this part of it
)

// shortEvent is an Event with the memory of a short text, so that it takes one
// allocation.
type shortEvent struct {
	Event
	text [shortText]byte
}

// Events that are used again, by the capacity of their texts: up to shortText, and above.
var shortEvents, longEvents sync.Pool

// eventFor returns an event that is empty, and room for its text of n bytes.
func eventFor(n int) (e *Event, text []byte) {
	if n <= shortText {
		if e, ok := shortEvents.Get().(*Event); ok {
			return e, args.Memory(e.Args)[:n]
		}
		short := new(shortEvent)
		return &short.Event, short.text[:n]
	}
	if n <= longText {
		if e, ok := longEvents.Get().(*Event); ok {
			if text = args.Memory(e.Args); n <= len(text) && len(text) <= roomy*n {
				return e, text[:n]
			}
			return e, roundedUp(n)
		}
	}
	return new(Event), roundedUp(n)
}

// roundedUp returns n bytes, with as much capacity behind them as the runtime gives
// anyway, so that they are of use for a text of nearly that length.
func roundedUp(n int) []byte { return slices.Grow([]byte(nil), n)[:n] }

// reuse gives the memory of an event back that nobody has any more.
func (e *Event) reuse() {
	text := args.Memory(e.Args)
	if len(text) > longText {
		return
	}
	if bufpool.Poisoned {
		for i := range text {
			text[i] = bufpool.Poison
		}
	}
	*e = Event{Args: args.New(parser.Args{JSON: text}, nil, 0)}
	if len(text) <= shortText {
		shortEvents.Put(e)
	} else {
		longEvents.Put(e)
	}
}

// forgetful are the functions that Receive and Reply return, by the addresses of
// their code: they keep nothing of an event, nor do they let anybody see it. What
// an application has put around one has another address. It is the program's, as its
// code is, and has at most as many addresses as that has instances of the two.
var forgetful sync.Map // of uintptr

// noteForgetful notes that a handler is forgetful.
func noteForgetful(h Handler) Handler {
	if !isForgetful(h) {
		forgetful.Store(reflect.ValueOf(h).Pointer(), nil)
	}
	return h
}

// isForgetful reports whether a handler is one of those.
func isForgetful(h Handler) bool {
	_, ok := forgetful.Load(reflect.ValueOf(h).Pointer())
	return ok
}
