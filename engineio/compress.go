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

// encoding is one of a polling response.
type encoding uint8

const (
	encodeGzip encoding = iota
	encodeDeflate
	encodings
)

var encodingNames = [encodings]string{encodeGzip: "gzip", encodeDeflate: "deflate"}

// compressors are the encodings of polling responses, each with its pool of
// writers.
type compressors [encodings]sync.Pool

// encoder is what gzip.Writer and zlib.Writer have in common.
type encoder interface {
	io.WriteCloser
	Reset(io.Writer)
}

// compress returns body, the payload of units, as the client accepts it, if that is
// worth it, and sets the header. The bytes may be body itself. Those of a Prepared
// alone are made once for all.
func (s *Session) compress(h http.Header, r *http.Request, body pieces, units []unit) pieces {
	srv := s.srv
	if t := srv.cfg.HTTPCompression.threshold(); t < 0 || body.size() < t {
		return body
	}
	e, ok := chooseEncoding(r.Header.Get("Accept-Encoding"))
	if !ok {
		return body
	}
	h.Set("Content-Encoding", encodingNames[e])
	if c, ok := s.dialect.chunking(units); ok && len(units) == 1 && units[0].prepared != nil {
		return pieces{units[0].prepared.zip(c, e, func() []byte { return bytes.Clone(srv.zip(e, body)) })}
	}
	return pieces{srv.zip(e, body)}
}

// zip compresses body.
func (srv *Server) zip(e encoding, body pieces) []byte {
	var b bytes.Buffer
	pool := &srv.compressors[e]
	w, ok := pool.Get().(encoder)
	switch {
	case ok:
		w.Reset(&b)
	case e == encodeDeflate:
		w = zlib.NewWriter(&b)
	default:
		w = gzip.NewWriter(&b)
	}
	defer pool.Put(w)
	for _, piece := range body {
		_, _ = w.Write(piece) // writing to memory does not fail
	}
	_ = w.Close()
	return b.Bytes()
}

func (c *HTTPCompression) threshold() int {
	if c == nil || c.Threshold == 0 {
		return 1024
	}
	return c.Threshold
}

// chooseEncoding returns whichever encoding an Accept-Encoding header prefers, the
// first of equals, if it takes any. RFC 9110 section 12.5.3.
func chooseEncoding(accept string) (best encoding, ok bool) {
	bestQ := 0.0
	for item := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(item, ";")
		var e encoding
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "*":
			e = encodeGzip
		case "deflate":
			e = encodeDeflate
		default:
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
			best, bestQ, ok = e, q, true
		}
	}
	return best, ok
}
