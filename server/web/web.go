package web

import (
	"bytes"
	"embed"
	"html"
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

// builtPath is the path of the Socket.IO endpoint that index.html names.
const builtPath = "/socket.io"

// Index returns index.html for an endpoint at path, which has no slash at its
// end. The bytes are the caller's.
func Index(path string) []byte {
	page, err := files.ReadFile("page/index.html")
	if err != nil {
		panic(err) // it is embedded
	}
	return bytes.ReplaceAll(page, []byte(`"`+builtPath+`/`), []byte(`"`+html.EscapeString(path)+`/`))
}
