// Package event holds typed descriptors of events. A descriptor is a string
// constant with types attached, so that the sender and the receiver of an event
// agree on its name and its arguments at compile time:
//
//	const (
//		Typing event.Message[string]                      = "typing"
//		Join   event.Request[JoinRequest, JoinResponse]   = "join"
//	)
//
//	err := Typing.Emit(srv, "ada")               // anything with an Emit method
//	res, err := Join.Call(ctx, socket, request)  // anything with a Call method
//
// [Message] describes an event without an acknowledgement, [Request] one whose
// acknowledgement is a value. [Args] makes a struct stand for several arguments
// instead of one, and [Rest] is any number of them. What handles an event is a
// function of the package that owns the receiving socket's type, such as
// socketio.HandleMessage and socketio.HandleRequest. Many at once are asked by
// socketio.Gather.
//
// The package knows nothing of connections: whoever has the methods of
// [Emitter] or [Caller] can be used with it.
package event
