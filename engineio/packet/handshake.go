package packet

import (
	"strconv"
	"unicode/utf8"
)

// Handshake is the data of the open packet. Engine.IO protocol v4, "Handshake".
type Handshake struct {
	// SID is the id of the session.
	SID string
	// Upgrades are the transports the client may change to; nil is written as
	// an empty array, which clients rely on.
	Upgrades []string
	// PingInterval and PingTimeout are in milliseconds.
	PingInterval, PingTimeout int64
	// MaxPayload is the largest payload or message the server takes, in bytes.
	MaxPayload int64
}

// AppendJSON appends the handshake as a JSON object with its five keys in the
// order of the official server.
func (h *Handshake) AppendJSON(dst []byte) []byte {
	dst = appendString(append(dst, `{"sid":`...), h.SID)
	dst = append(dst, `,"upgrades":[`...)
	for i, u := range h.Upgrades {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, u)
	}
	dst = append(dst, `],"pingInterval":`...)
	dst = strconv.AppendInt(dst, h.PingInterval, 10)
	dst = append(dst, `,"pingTimeout":`...)
	dst = strconv.AppendInt(dst, h.PingTimeout, 10)
	dst = append(dst, `,"maxPayload":`...)
	dst = strconv.AppendInt(dst, h.MaxPayload, 10)
	return append(dst, '}')
}

// appendString appends s as a JSON string. Ids and transport names need no
// escape, but a caller may bring ids of its own.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}
