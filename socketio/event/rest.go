package event

// Rest is all arguments of an event or of an acknowledgement that are left: all there
// are, or, as the last exported field of a struct that embeds Args, those behind the
// others. They are of the types that an argument of type any is decoded into; nil if
// there are none. JS: (a, ...rest) => {}.
//
//	type Command struct {
//		event.Args
//		Name    string
//		Options event.Rest
//	}
//
// Elsewhere, and behind a pointer, it is one argument, a list.
type Rest []any
