// Package testnet is a network in memory for tests: a [Pipe] of two connected
// [Conn] and a [Listener] that net/http servers and clients work on.
//
// It behaves as TCP over loopback does, where tests care: a buffer of limited
// size in each direction, so that a stalled reader stops the writer; half-close;
// resets; deadlines. It is also made for testing/synctest: who waits, waits on
// a condition variable or channel and holds no mutex, so fake time goes on.
//
// Conn.Stall stops the network for a while, Conn.Abort cuts it.
//
// A Conn has, besides the methods of net.Conn, the non-blocking ones that
// wscore derives from the file descriptor of a real connection (TryRead,
// TryWrite, TryWritev, WaitRead, WaitWrite), so a scenario test runs the path
// that production runs. It counts its writes, so a test can tell how many
// system calls there would have been.
//
//	synctest.Test(t, func(t *testing.T) {
//		l := testnet.Listen(testnet.Options{})
//		srv := &http.Server{Handler: h}
//		go srv.Serve(l)
//		client := &http.Client{Transport: &http.Transport{DialContext: l.DialContext}}
//		…
//		client.CloseIdleConnections()
//		srv.Close()
//	})
//
// Where systems differ it takes the harshest reading of the TCP standard:
// Close with unread input resets the connection, a write to a peer that has
// closed does so too, and a reset destroys what the other side had not read yet
// (RFC 1122 section 4.2.2.13, RFC 9293 section 3.10.7.4).
package testnet
