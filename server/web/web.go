// Package web holds the chat page of the server program. The official browser
// client that it uses is no part of it: "make web" fetches that to dist.
package web

import (
	"embed"
	"io/fs"
)

//go:embed page
var files embed.FS

// Page returns the files of the page: index.html and what it needs.
func Page() fs.FS {
	page, err := fs.Sub(files, "page")
	if err != nil {
		panic(err) // the name is a constant
	}
	return page
}
