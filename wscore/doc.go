// Package wscore is a WebSocket library (RFC 6455).
//
// The three types to know: [Server] holds what the connections of one server
// share and accepts handshakes; [Conn] is one connection; [Protocol] is what
// runs on it. A Conn is used in one of two ways, chosen once: Conn.Serve
// hands it to a Protocol and its goroutine to the package, Conn.Read and
// Conn.NextReader leave both with the caller.
//
// An idle connection under Serve costs one parked goroutine and no buffer.
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
// Limits: the server side alone, over HTTP/1.1, without extensions.
package wscore
