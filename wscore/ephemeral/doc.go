// Package ephemeral makes URIs that are valid for a short time: signed, expiring,
// good for once if so wished, and able to carry a few bytes that only the server
// can read. A page asks for one over its own authenticated channel, and upgrades
// with it: a browser cannot send headers with a WebSocket.
//
// The three names to know: [Generator] makes and validates tokens, [Cookie] is
// what a token stands for, [Protect] lets only those upgrade who have one.
//
//	g := ephemeral.New(ephemeral.Options{Lifetime: time.Minute})
//	list.Add(ephemeral.Protect(chatSpec, g, ephemeral.Guard{SingleUse: true}))
//	uri, err := g.URI("/ws/chat", 0, []byte(user)) // hand this to the page
//
// The tokens are those of mORMot 2 (TBinaryCookieGenerator): base64url of a
// CRC-32C, a session number, the times of issue and expiry, and an AES-128-GCM tag,
// with the encrypted record behind it. A server that loaded the saved state of
// another can validate what that had made until it was saved.
//
// Limits: a URI ends in access logs and browser histories: keep the lifetime short
// and use SingleUse. Tokens that were used or revoked are remembered until they
// expire, in memory alone; Save keeps them. Times are of whole seconds, up to the
// year 2152.
package ephemeral
