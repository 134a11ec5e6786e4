package web

import (
	"embed"
	"io/fs"
)

//go:embed page
var files embed.FS

// Page returns the files of the page. It may be called from any goroutine.
func Page() fs.FS {
	page, err := fs.Sub(files, "page")
	if err != nil {
		panic(err) // the name is valid
	}
	return page
}
