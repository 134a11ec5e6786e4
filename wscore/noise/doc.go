// Package noise encrypts what a sub-protocol says, from one end of a connection
// to the other, by the Noise protocol (revision 34): for peers with keys of their
// own, whatever terminates TLS between them.
//
// The names to know: [Protect] wraps a sub-protocol, [Config] holds the pattern
// and the keys, [Key] is a key pair.
//
//	server, err := noise.LoadKeyFile("server.key")
//	list.Add(noise.Protect(spec, noise.Config{Pattern: noise.NK, Key: server}))
//	// and on the client's side
//	client := wscore.NewClient(url, noise.Protect(spec, noise.Config{Pattern: noise.NK, PeerKey: serverPublic}), wscore.ClientSettings{})
//
// # What it does
//
// After the upgrade the client begins the handshake of the pattern in binary
// messages; the inner protocol runs when it is complete (wscore.Client.Connect
// waits for that), and sees text and binary messages as if nothing were between.
// A message that is sent before fails with ErrNotReady.
//
// The patterns: with NK the client knows the server's key, and is anonymous
// itself; with XX both show their keys, and Config.Verify judges the peer's, on
// the client before its own is shown. The patterns with psk need a secret of 32
// bytes on both sides as well. The subprotocol and Config.Prologue are part of the
// handshake: peers who differ in them do not come together.
//
// # Threats
//
// Protected are, against everyone on the way, the content and the order of
// messages: what is changed, left out, repeated or put in another order closes the
// connection. Keys of a connection are fresh, so that a long-term key that is
// stolen later opens nothing of before (forward secrecy); one stolen before lets
// the thief take that side's part. The first message of a client says nothing yet;
// with NK a client is whoever knows the public key (and the psk). The side that says
// the last word of a handshake (with NK the server, with XX the client) runs the
// inner protocol before it knows that the other agrees: what it sends then only the
// right peer can read.
//
// Not protected are that, when and how much is said (Config.Padding hides short
// lengths; with Options.SynLZ of package rest a secret beside what an attacker chose
// shows in them), the upgrade with its headers, the end of the connection (one who is
// on the way can cut it, and what was sent last may be missing), and a peer's
// resources: a handshake costs it some hundred microseconds. Who reads the upgrade may
// choose among the names that the client offers, and resume a connection by its token:
// compare PeerKey before you believe in wscore.Process.Data.
//
// # Limits
//
// wscore.Settings.MaxMessage bounds what travels, which has at least 20 bytes more than
// what was said. A message of the handshake has at most 256.
//
// A browser has no counterpart of this package; give it TLS.
package noise
