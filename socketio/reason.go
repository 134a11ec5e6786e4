package socketio

import "github.com/hermod-io/hermod/engineio"

// Reason is why a socket left its namespace; the strings are the official server's.
type Reason string

// The reasons of OnDisconnecting and OnDisconnect.
const (
	// TransportClose: the client closed the connection, or it was cut, or the
	// client came back over another one before that was noticed.
	TransportClose Reason = "transport close"
	// TransportError: reading, writing or the transport's protocol failed.
	TransportError Reason = "transport error"
	// PingTimeout: the client did not answer a ping in time.
	PingTimeout Reason = "ping timeout"
	// ParseError: the client broke the Engine.IO protocol.
	ParseError Reason = "parse error"
	// ForcedClose: the server closed the connection, also because the client
	// broke the Socket.IO protocol or has joined no namespace in time.
	ForcedClose Reason = "forced close"
	// ForcedServerClose is ForcedClose of a polling client that has no GET
	// waiting, so that it will hear of it later; but for a packet that cannot be
	// read, which is ForcedClose even so.
	ForcedServerClose Reason = "forced server close"
	// ClientNamespaceDisconnect: the client left the namespace.
	ClientNamespaceDisconnect Reason = "client namespace disconnect"
	// ServerNamespaceDisconnect: Disconnect was called.
	ServerNamespaceDisconnect Reason = "server namespace disconnect"
	// ServerShuttingDown: Close or Shutdown of the Server was called.
	ServerShuttingDown Reason = "server shutting down"
)

// recoverable reports whether a client that was lost for that reason may
// continue its session.
func (r Reason) recoverable() bool {
	switch r {
	case TransportClose, TransportError, PingTimeout, ForcedClose, ForcedServerClose, ServerShuttingDown:
		return true
	}
	return false
}

// engineReason is the reason of a session's end as this floor names it.
func engineReason(r engineio.Reason) Reason { return Reason(r) }
