// Package wscore is a WebSocket library (RFC 6455) with permessage-deflate (RFC
// 7692), for both sides, and the running of application protocols on it.
//
// The types to know: [Server] accepts handshakes and holds what its connections
// share, [Dialer] and [Dial] make connections; [Conn] is one of either side;
// [Protocol] is what runs on it. A Conn is used in one of two ways, chosen once:
// Conn.Serve hands it to a Protocol and its goroutine to the package; Conn.Read,
// Conn.NextReader and Conn.NetConn leave both with the caller.
//
// An idle connection under Serve costs one waiting goroutine and no buffer, and
// on Linux, without TLS, after some seconds no goroutine either: the read deadline of its
// stream is the package's.
// What is queued while another write is under way leaves with the next one, in
// order, and the queue is bounded.
//
//	srv := wscore.NewServer(wscore.Settings{MaxMessage: 64 << 10})
//	http.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
//		conn, err := srv.Accept(w, r, nil)
//		if err != nil {
//			return // the response has been written
//		}
//		conn.Serve(myProtocol{conn})
//	})
//
// # Processes
//
// Above that, a [Handler] negotiates one of a [ProtocolList] by subprotocol name
// and path, and runs a [Process] for each connection: heartbeats, counters, hooks,
// gathering of what is sent, lookup by id, broadcasts, resumption. A [Client] keeps a
// connection to such a server. The packages below are protocols for them: chat,
// rest, and ephemeral and noise, which wrap others. All but noise speak with mORMot 2
// peers; docs/mormot.md maps the names.
//
// # Bytes
//
// What a send is given is read before it returns. Data that a callback is lent is
// valid until the callback returns, and is not to be changed: who keeps it copies it.
// What Read returns is the caller's.
//
// # Security
//
// By default a page of another host may not connect, a message has at most 1 MiB,
// inflated too, and deflate is off. With [Deflate.Takeover] secrets and text of an
// attacker must not share a connection. For TLS put the server behind
// http.ServeTLS; certificates of clients are in the request that Accept is given.
//
// Limits: HTTP/1.1 alone; no extension but permessage-deflate.
package wscore
