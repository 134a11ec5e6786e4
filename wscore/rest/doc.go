// Package rest is REST over one WebSocket connection, in both directions, as
// mORMot 2 speaks it.
//
// [JSON] and [Binary] are the protocols: each makes a wscore.ProtocolSpec for a
// wscore.Handler or a wscore.Client. A [Peer] is the other end of a connection;
// there is one on either side. What it asks goes to the http.Handler of the
// [Options], and it is asked by [Peer.Call], by [Peer.Notify], or by an http.Client
// whose Transport it is:
//
//	list.Add(rest.Binary(rest.Options{Handler: mux}))     // the server
//	http.Handle("/ws/rest", wscore.NewHandler(&list, wscore.ProcessSettings{}))
//
//	c := wscore.NewClient("ws://host/ws/rest", rest.Binary(rest.Options{}), wscore.ClientSettings{})
//	_, err := c.Connect(ctx)                              // the client
//	hc := &http.Client{Transport: rest.Transport(c)}
//	resp, err := hc.Get("http://host/things?id=1")
//
// Within a handler [PeerFromContext] is the peer that asks, [RequestFromContext]
// its request as it travelled. A server finds the peers of its connections by
// [PeerOf], or calls one by its id with [Notify].
//
// # Wire
//
// A request has a head, four values, a content type and content; an answer a
// head, two values, a content type and content.
//
//	            request                        answer
//	head        request, or r and 6 digits     answer, or a and the same digits
//	value 1     method, empty for POST         status, decimal
//	value 2     URL                            headers
//	value 3     headers, lines ended by CR LF
//	value 4     1 if no answer is wanted, or 0
//
// The content type is empty if there is no content, or if it is JSON's. What takes
// part in this form:
//
//	synopsejson    text    {"request":["GET","url","A: b",0,"text/plain","content"]}
//	               Content is JSON as it is, else a string; if it is no text, base64
//	               after U+FFF0. No content is "". One call at a time.
//	synopsebin     binary  head, 0x01, then values and content type each after its
//	               length (LEB128), then content. Digits are hexadecimal and count
//	               the calls of one side, from 1 on, modulo 2^24.
//	synopsebinary  the same with the heads request and answer. One call at a time.
//	jumbo          binary  "frames" 0x01, number of frames less one (LEB128), then
//	               each frame after its length. It holds what was gathered for
//	               SendDelay. Its first request is marked by the header line
//	               Sec-WebSocket-Frame: [0], its last by [1].
//
// Binary frames, jumbo frames as a whole, are compressed if Options.SynLZ says so
// (package synlz; there is always a container then), and then encrypted if there
// is an Options.WeakAES (package weakaes; use TLS instead wherever the peer can).
// Text frames never are. Nothing of that is negotiated: both sides must have the
// same options.
//
// # Order
//
// Requests that want no answer are handled one after the other, as they were
// sent. Those that want one are handled each on its own goroutine where they are
// numbered; where they are not, all are handled in order, because the answers
// tell nothing but by their order. The reader never waits for a handler, so that a
// handler may call back on its own connection.
//
// # Limits
//
// What waits is bounded, see [Options]: calls, requests, and the size of messages
// by wscore.Settings.MaxMessage, before and after they are decompressed. Requests
// and answers are held in memory whole; trailers, 1xx responses and streaming do
// not exist here. Frames that cannot be read are counted and dropped, see [Stats];
// a request among them whose head could be read is answered 400.
//
// A handler may run on for a while after its connection, and after the shutdown of
// what holds that; its context has ended then.
//
// # Trust
//
// The headers of a request are the peer's word. No proxy has seen them, so that those
// it would set or strip (X-Forwarded-For, a user it has authenticated) mean nothing
// here. Lines that are no header, and those that say how content travels
// (Content-Length, Transfer-Encoding, Trailer), are left out on both sides.
//
// Unlike mORMot, no content is no content: it does not turn into two quotes on its
// way through synopsejson, though what travels is the same. Content that claims to
// be JSON and is not is sent as text, as it would break the frame.
package rest
