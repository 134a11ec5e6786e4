package metrics

import (
	"net/http"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
)

// reasons are all for which a socket can leave.
var reasons = []socketio.Reason{
	socketio.TransportClose, socketio.TransportError, socketio.PingTimeout, socketio.ParseError, socketio.ForcedClose,
	socketio.ForcedServerClose, socketio.ClientNamespaceDisconnect, socketio.ServerNamespaceDisconnect, socketio.ServerShuttingDown,
}

// refusals are all that refusal returns.
var refusals = []string{
	"unknown_transport", "unknown_sid", "bad_method", "bad_request", "forbidden", "unsupported_version",
	"shutting_down", "max_connections", "max_connections_per_ip", "max_handshakes", "other",
}

// refusal is why a connection was refused: by a limit the name of its flag, else what the
// code of the protocol stands for.
func refusal(e *engineio.ConnectionError) string {
	switch e.Code {
	case engineio.CodeUnknownTransport:
		return "unknown_transport"
	case engineio.CodeUnknownSID:
		return "unknown_sid"
	case engineio.CodeBadMethod:
		return "bad_method"
	case engineio.CodeBadRequest:
		return "bad_request"
	case engineio.CodeVersion:
		return "unsupported_version"
	case engineio.CodeForbidden:
	default:
		return "other"
	}
	switch e.Context["limit"] {
	case "Connections":
		return "max_connections"
	case "PerIP":
		return "max_connections_per_ip"
	case "Handshakes":
		return "max_handshakes"
	}
	if e.Status() == http.StatusServiceUnavailable {
		return "shutting_down"
	}
	return "forbidden"
}
