package cluster

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// newServed is the request that the client has sent to the other node.
func newServed(f *relayFrame) (*http.Request, error) {
	q := f.req
	u, err := url.ParseRequestURI(q.uri)
	if err != nil {
		return nil, err
	}
	req := &http.Request{Method: q.method, URL: u, RequestURI: q.uri, Host: q.host, RemoteAddr: q.remote, Header: f.header,
		Proto: "HTTP/" + strconv.Itoa(int(q.major)) + "." + strconv.Itoa(int(q.minor)), ProtoMajor: int(q.major), ProtoMinor: int(q.minor),
		ContentLength: q.length, Body: http.NoBody}
	if q.length < 0 {
		req.TransferEncoding = []string{"chunked"}
	}
	if f.flags&flagTLS != 0 {
		req.TLS = &tls.ConnectionState{Version: q.tlsVersion, CipherSuite: q.cipher, ServerName: q.tlsName, NegotiatedProtocol: q.tlsProto, HandshakeComplete: true}
	}
	return req, nil
}

// relayBody is the body of a request of a client of another node.
type relayBody struct{ s *relayStream }

func (b relayBody) Read(p []byte) (int, error) { return b.s.read(p) }
func (b relayBody) Close() error               { return nil }

// relayWriter is the http.ResponseWriter for a client of another node. It
// belongs to the goroutine of the handler. What is written is kept until the
// handler returns, flushes, or has written much.
type relayWriter struct {
	s       *relayStream
	remote  string
	header  http.Header
	frozen  http.Header // as it was at WriteHeader
	status  int
	length  int64 // Content-Length, or -1
	written int64
	buf     []byte
	begun   bool // something was sent
	fin     bool
	taken   bool
	err     error
}

// Header implements http.ResponseWriter.
func (w *relayWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *relayWriter) WriteHeader(status int) {
	if w.status != 0 || status < 200 || w.taken {
		return
	}
	w.status, w.frozen = status, w.header.Clone()
	if n, err := strconv.ParseInt(w.header.Get("Content-Length"), 10, 64); err == nil {
		w.length = n
	}
}

// Write implements http.ResponseWriter.
func (w *relayWriter) Write(p []byte) (int, error) {
	if w.taken {
		return 0, http.ErrHijacked
	}
	w.WriteHeader(http.StatusOK)
	if w.written += int64(len(p)); w.length >= 0 && w.written > w.length {
		w.written -= int64(len(p))
		return 0, http.ErrContentLength
	}
	if w.buf = append(w.buf, p...); len(w.buf) > relayChunk && w.written != w.length {
		w.send(false, false)
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// send sends what is kept.
func (w *relayWriter) send(fin, confirm bool) {
	if w.err != nil {
		return
	}
	b := w.buf
	w.buf = nil
	if !w.begun {
		w.begun = true
		n := min(len(b), relayChunk)
		f := relayFrame{kind: frameAnswer, status: w.status, header: w.frozen, data: b[:n]}
		if confirm {
			f.flags |= flagConfirm
		}
		b = b[n:]
		if fin && len(b) == 0 {
			f.flags |= flagFin
			w.fin = true
		}
		w.err = w.s.answerWith(&f)
	}
	if w.err == nil && !w.fin && (len(b) > 0 || fin) {
		_, w.err = w.s.write(b, fin, nil)
		w.fin = fin
	}
}

// answerWith sends the beginning of the answer, which is smaller than the window.
func (s *relayStream) answerWith(f *relayFrame) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	err := s.err
	s.credit -= len(f.data)
	s.finSent = f.flags&flagFin != 0
	s.mu.Unlock()
	if err == nil {
		s.post(f, true)
	}
	return err
}

// finish ends the answer when the handler has returned, or panicked.
func (w *relayWriter) finish(served bool) {
	switch {
	case w.taken && served: // the connection goes on
	case !served || w.err != nil || w.begun && w.length >= 0 && w.written != w.length:
		w.s.fail(errStreamAborted, resetAborted)
	default:
		w.WriteHeader(http.StatusOK)
		if !w.fin {
			w.send(true, false)
		}
		w.s.close(false)
	}
}

// FlushError is that of http.ResponseController. When the answer is complete (it
// has a Content-Length) nil means that the client's node has written it.
func (w *relayWriter) FlushError() error {
	w.WriteHeader(http.StatusOK)
	complete := w.written == w.length && !w.fin
	w.send(complete, complete)
	if complete && w.err == nil {
		w.err = w.s.waitDone()
	}
	return w.err
}

// SetReadDeadline is that of http.ResponseController.
func (w *relayWriter) SetReadDeadline(t time.Time) error {
	w.s.setDeadline(&w.s.rd, t)
	return nil
}

// SetWriteDeadline is that of http.ResponseController.
func (w *relayWriter) SetWriteDeadline(t time.Time) error {
	w.s.setDeadline(&w.s.wd, t)
	return nil
}

// Hijack implements http.Hijacker. The connection of the client is taken over by
// the node where it is.
func (w *relayWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.taken || w.status != 0 {
		return nil, nil, errNoHijack
	}
	w.taken = true
	w.s.post(&relayFrame{kind: frameTaken}, false) // the handshake's answer follows
	c := &relayConn{w.s, relayAddr(w.remote)}
	return c, bufio.NewReadWriter(bufio.NewReaderSize(c, 16), bufio.NewWriterSize(c, 16)), nil
}
