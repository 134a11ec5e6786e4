// Package raw speaks WebSocket by hand, on either side and with nothing of
// wscore: what is sent may be as wrong as a test wants, what is received is
// checked strictly. RFC 6455, and RFC 7692 through compress/flate.
//
// The three types to know: [Conn] is a connection whose handshake is done,
// [Frame] is what travels on it, [Zip] deflates and inflates messages.
package raw
