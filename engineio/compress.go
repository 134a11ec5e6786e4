package engineio

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// compressors are the encodings of polling responses, each with its pool of
// writers.
type compressors struct {
	gzip, deflate sync.Pool
}

// encoder is what gzip.Writer and zlib.Writer have in common.
type encoder interface {
	io.WriteCloser
	Reset(io.Writer)
}

// compress returns body as the client accepts it, if that is worth it, and
// sets the header. The bytes may be body itself.
func (srv *Server) compress(h http.Header, r *http.Request, body pieces) pieces {
	if t := srv.cfg.HTTPCompression.threshold(); t < 0 || body.size() < t {
		return body
	}
	encoding := chooseEncoding(r.Header.Get("Accept-Encoding"))
	if encoding == "" {
		return body
	}
	pool := &srv.compressors.gzip
	if encoding == "deflate" {
		pool = &srv.compressors.deflate
	}
	var b bytes.Buffer
	e, ok := pool.Get().(encoder)
	switch {
	case ok:
		e.Reset(&b)
	case encoding == "deflate":
		e = zlib.NewWriter(&b)
	default:
		e = gzip.NewWriter(&b)
	}
	defer pool.Put(e)
	for _, piece := range body {
		_, _ = e.Write(piece) // writing to memory does not fail
	}
	_ = e.Close()
	h.Set("Content-Encoding", encoding)
	return pieces{b.Bytes()}
}

func (c *HTTPCompression) threshold() int {
	if c == nil || c.Threshold == 0 {
		return 1024
	}
	return c.Threshold
}

// chooseEncoding returns gzip or deflate, whichever an Accept-Encoding header
// prefers, the first of equals, or "" for neither. RFC 9110 section 12.5.3.
func chooseEncoding(accept string) (best string) {
	bestQ := 0.0
	for item := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(item, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "*" {
			name = "gzip"
		}
		if name != "gzip" && name != "deflate" {
			continue
		}
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(v, 64); err != nil {
				continue
			}
		}
		if q > bestQ {
			best, bestQ = name, q
		}
	}
	return best
}
