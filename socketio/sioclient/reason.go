package sioclient

// Reason is why a Socket left its namespace; the strings are the official
// client's.
type Reason string

// The reasons of OnDisconnect.
const (
	// IOServerDisconnect: the server has disconnected the Socket, which does not
	// connect again by itself.
	IOServerDisconnect Reason = "io server disconnect"
	// IOClientDisconnect: Disconnect or Close was called.
	IOClientDisconnect Reason = "io client disconnect"
	// PingTimeout: the server's ping did not come in time.
	PingTimeout Reason = "ping timeout"
	// TransportClose: the connection was closed or lost.
	TransportClose Reason = "transport close"
	// TransportError: reading, writing or the transport's protocol failed.
	TransportError Reason = "transport error"
	// ParseError: the server sent what is no packet.
	ParseError Reason = "parse error"
)
