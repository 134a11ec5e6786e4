package socketio

import "github.com/hermod-io/hermod/socketio/args"

// Args are received arguments, of an event or of an ack. They are decoded on
// demand and may be kept; the zero value has none. They are immutable, and safe
// for concurrent use. Their methods, which an [Event] has as well: Len, Decode(i, &v),
// Scan(&v, &w), Values, Raw(i); see [args.Args].
type Args = args.Args

// Replies are the acks of a broadcast, one Args per socket that answered, in
// the order of their arrival. [args.ErrorOf] tells whether one stands for an error.
type Replies []Args
