package suite

import (
	"strings"

	"github.com/hermod-io/hermod/tests/autobahn/internal/raw"
)

// Refusal is a request that is no valid handshake, and the status it gets. RFC 6455 section 4.2.
type Refusal struct {
	ID     string
	Old    string // in the request of raw.Request
	New    string // what stands there instead
	Status int
}

// Refusals are the handshakes that a server must refuse, or must not take for more than they are.
func Refusals() []Refusal {
	const k = "Sec-WebSocket-Key: " + raw.Key + "\r\n"
	const end = "\r\n\r\n"
	return []Refusal{
		{"H.1 POST", "GET /", "POST /", 405},
		{"H.2 HTTP/1.0", "HTTP/1.1", "HTTP/1.0", 400},
		{"H.3 no Upgrade", "Upgrade: websocket\r\n", "", 426},
		{"H.4 other Upgrade", "Upgrade: websocket\r\n", "Upgrade: websockets\r\n", 426},
		{"H.5 no Connection", "Connection: Upgrade\r\n", "", 426},
		{"H.6 Connection without the token", "Connection: Upgrade\r\n", "Connection: keep-alive\r\n", 426},
		{"H.7 no version", "Sec-WebSocket-Version: 13\r\n", "", 426},
		{"H.8 version 8", "Version: 13", "Version: 8", 426},
		{"H.9 version 14", "Version: 13", "Version: 14", 426},
		{"H.10 no key", k, "", 400},
		{"H.11 empty key", k, "Sec-WebSocket-Key:\r\n", 400},
		{"H.12 key of 15 bytes", k, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n", 400},
		{"H.13 key not base64", k, "Sec-WebSocket-Key: ************************\r\n", 400},
		{"H.14 two keys", k, k + k, 400},
		{"H.15 Content-Length 5 and a body", end, "\r\nContent-Length: 5" + end + "hello", 400},
		{"H.16 chunked body", end, "\r\nTransfer-Encoding: chunked" + end + "5\r\nhello\r\n0\r\n\r\n", 400},
		{"H.17 both lengths", end, "\r\nTransfer-Encoding: chunked\r\nContent-Length: 5" + end + "0\r\n\r\n", 400},
		{"H.18 two lengths that differ", end, "\r\nContent-Length: 5\r\nContent-Length: 0" + end, 400},
		{"H.19 origin of another host", end, "\r\nOrigin: https://evil.example" + end, 403},
		{"H.20 origin null", end, "\r\nOrigin: null" + end, 403},
		{"H.21 no Host", "Host: ", "X-Host: ", 400},
		{"H.22 header with a space before the colon", "Upgrade: websocket", "Upgrade : websocket", 400},
		{"H.23 a refused upgrade and a second request behind it", "Version: 13\r\n", "Version: 8\r\n", 426},
	}
}

// Request is what the refusal sends to addr.
func (r Refusal) Request(addr string) string {
	request := strings.Replace(raw.Request(addr, ""), r.Old, r.New, 1)
	if strings.HasPrefix(r.ID, "H.23") {
		request += "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	}
	return request
}

// Declined are offers of permessage-deflate that a server must decline, each as
// a whole. RFC 7692 section 7.1.
func Declined() []string {
	const d = "permessage-deflate; "
	return []string{
		d + "unknown", d + "unknown=1",
		d + "server_no_context_takeover=1", d + "client_no_context_takeover=true",
		d + "server_no_context_takeover; server_no_context_takeover", d + "client_no_context_takeover; client_no_context_takeover",
		d + "server_max_window_bits", d + "server_max_window_bits=", d + "server_max_window_bits=7", d + "server_max_window_bits=16",
		d + "server_max_window_bits=08", d + "server_max_window_bits=+9", d + "server_max_window_bits=1e1", d + "server_max_window_bits=-9",
		d + "server_max_window_bits=99999999999999999999", d + "server_max_window_bits=10; server_max_window_bits=10",
		d + "client_max_window_bits=7", d + "client_max_window_bits=16", d + "client_max_window_bits=09", d + "client_max_window_bits=x",
		d + "client_max_window_bits; client_max_window_bits", d + "client_max_window_bits=10; client_max_window_bits",
		d + "server_max_window_bits=\"10", "permessage-deflate;", "permessage-deflate;;", "x-webkit-deflate-frame", "permessage-bzip2", "permessage-deflate2",
	}
}
