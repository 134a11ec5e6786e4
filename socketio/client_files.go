package socketio

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// bundles are the names of the official browser client, as the official server
// serves them; each may have a map beside it.
var bundles = [...]string{"socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js"}

// banner finds the version in the comment at the top of a bundle.
var banner = regexp.MustCompile(`Socket\.IO v(\d+\.\d+\.\d+[0-9A-Za-z.+-]*)`)

// clientFiles serves the browser client. It is immutable.
type clientFiles struct {
	prefix string // of the path, up to the name
	byName map[string]*clientFile
}

// clientFile is one file, read once.
type clientFile struct {
	content     []byte
	contentType string
	etag        string
	once        sync.Once
	gzip        []byte // made by once
}

// readClientFiles reads what there is of the bundles and their maps.
func readClientFiles(dir fs.FS, path string) (*clientFiles, error) {
	files := &clientFiles{prefix: strings.TrimSuffix(path, "/") + "/", byName: make(map[string]*clientFile)}
	version := ""
	for _, name := range bundles {
		for _, f := range []struct{ name, contentType string }{
			{name, "application/javascript; charset=utf-8"},
			{name + ".map", "application/json; charset=utf-8"},
		} {
			content, err := fs.ReadFile(dir, f.name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("socketio: client files: %w", err)
			}
			if m := banner.FindSubmatch(content[:min(len(content), 512)]); m != nil && version == "" {
				version = string(m[1])
			}
			files.byName[f.name] = &clientFile{content: content, contentType: f.contentType}
		}
	}
	for _, f := range files.byName {
		f.etag = `"` + version + `"`
	}
	return files, nil
}

// serve serves the files, and leaves all else to next.
func (c *clientFiles) serve(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, ok := strings.CutPrefix(r.URL.Path, c.prefix); ok {
			if f := c.byName[name]; f != nil {
				f.ServeHTTP(w, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// ServeHTTP serves the file.
func (f *clientFile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if match := r.Header.Get("If-None-Match"); match == f.etag || match == "W/"+f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=0")
	h.Set("Content-Type", f.contentType)
	h.Set("Etag", f.etag)
	h.Add("Vary", "Accept-Encoding")
	body := f.content
	if acceptsGzip(r.Header) {
		h.Set("Content-Encoding", "gzip")
		body = f.compressed()
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // an error means that the client is gone
	}
}

// compressed returns the file in gzip's format, made at the first call.
func (f *clientFile) compressed() []byte {
	f.once.Do(func() {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(f.content) // a Buffer takes everything
		_ = z.Close()
		f.gzip = b.Bytes()
	})
	return f.gzip
}

// acceptsGzip reads Accept-Encoding. RFC 9110 section 12.5.3.
func acceptsGzip(h http.Header) bool {
	any := false
	for _, line := range h.Values("Accept-Encoding") {
		for item := range strings.SplitSeq(line, ",") {
			coding, params, _ := strings.Cut(item, ";")
			q, weighted := strings.CutPrefix(strings.TrimSpace(params), "q=")
			weight, err := strconv.ParseFloat(q, 64)
			accepted := !weighted || err == nil && weight > 0
			switch strings.ToLower(strings.TrimSpace(coding)) {
			case "gzip":
				return accepted
			case "*":
				any = accepted
			}
		}
	}
	return any
}
