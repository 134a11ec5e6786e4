package wscore

// Agree makes both ends of a connection without a handshake use the
// permessage-deflate of their settings.
func Agree(server, client *Conn) (s, c *Conn) {
	p, response, _ := server.grp.settings.Deflate.answer([]string{client.grp.settings.Deflate.offer()})
	server.negotiate("", response, p)
	client.negotiate("", response, p)
	return server, client
}
