package engineio

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// compress returns body as the client accepts it, if that is worth it.
func (srv *Server) compress(h http.Header, r *http.Request, body []byte) []byte {
	threshold := 1024
	if c := srv.cfg.HTTPCompression; c != nil {
		def(&threshold, 0)
		if c.Threshold != 0 {
			threshold = c.Threshold
		}
	}
	if threshold < 0 || len(body) < threshold || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		return body
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(body)
	_ = z.Close()
	h.Set("Content-Encoding", "gzip")
	return b.Bytes()
}
