// Package web holds the chat page of the server program: plain HTML, CSS and
// JavaScript modules, embedded. Page returns them, with index.html at the root.
//
//	http.Handle("/", http.FileServerFS(web.Page()))
//
// The page takes the official browser client from /socket.io/socket.io.js, so it
// needs a Socket.IO server whose Config.ClientFiles has the bundles that "npm run
// build" puts into dist; without them it says what to do. For an endpoint
// elsewhere Index returns the index.html to serve. The page has no inline script
// or style and loads nothing from elsewhere.
package web
