//go:build linux

package main

import (
	"bytes"
	"fmt"
	"strconv"
)

// httpConn is a connection that stays open for one request after the other.
type httpConn struct {
	conn    *conn
	busy    bool // a request is under way
	leaving bool
	served  bool // a request has been answered
	// again, if any, allows the server to close the connection when it has
	// answered, and is called if that crossed the next request.
	again func() error
	// answered gets the body of an answer.
	answered func(body []byte) error
}

func (r *run) dialHTTP(answered func(body []byte) error) (h *httpConn, err error) {
	h = &httpConn{answered: answered}
	h.conn, err = r.l.dial(h, 0)
	return h, err
}

func (h *httpConn) opened() error { return nil } // what was sent goes out now

func (h *httpConn) ended(err error) error {
	if h.leaving || h.again != nil && h.served && !h.busy {
		return nil
	}
	if h.again != nil && h.served {
		return h.again()
	}
	return fmt.Errorf("the HTTP connection ended: %w", err)
}

func (h *httpConn) take(p []byte) (used int, err error) {
	for used < len(p) && !h.conn.closed {
		body, size, err := nextAnswer(p[used:])
		if err != nil || size == 0 {
			return used, err
		}
		if !h.busy {
			return used, fmt.Errorf("an answer without a request: %.80q", p[used:])
		}
		used += size
		h.busy, h.served = false, true
		if err := h.answered(body); err != nil {
			return used, err
		}
	}
	return used, nil
}

// drop closes the connection.
func (h *httpConn) drop() {
	h.leaving = true
	h.conn.close()
}

// nextAnswer returns the body of the first answer in p and the size of all of
// it, 0 when more has to be read. RFC 9112 sections 6 and 7.1.
func nextAnswer(p []byte) (body []byte, size int, err error) {
	end := bytes.Index(p, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, 0, nil
	}
	head, rest := p[:end+2], p[end+4:]
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 200 ")) {
		return nil, 0, fmt.Errorf("answered with %.200q", p)
	}
	if length := lengthOf(head); length != nil {
		n, err := strconv.Atoi(string(length))
		if err != nil || n < 0 {
			return nil, 0, fmt.Errorf("Content-Length %q", length)
		}
		if len(rest) < n {
			return nil, 0, nil
		}
		return rest[:n], end + 4 + n, nil
	}
	if string(headerOf(head, "transfer-encoding")) != "chunked" {
		return nil, 0, fmt.Errorf("an answer of unknown length: %.300q", head)
	}
	body, n, err := chunks(rest)
	if err != nil || n == 0 {
		return nil, 0, err
	}
	return body, end + 4 + n, nil
}

// chunks puts a chunked body together.
func chunks(p []byte) (body []byte, size int, err error) {
	for {
		line := bytes.Index(p[size:], []byte("\r\n"))
		if line < 0 {
			return nil, 0, nil
		}
		n, err := strconv.ParseUint(string(p[size:size+line]), 16, 24)
		if err != nil {
			return nil, 0, err
		}
		at := size + line + 2
		if len(p) < at+int(n)+2 {
			return nil, 0, nil
		}
		body, size = append(body, p[at:at+int(n)]...), at+int(n)+2
		if n == 0 {
			return body, size, nil
		}
	}
}

// lengthOf returns the content length, nil if there is none: at once if its
// name is written in one of the usual ways.
func lengthOf(head []byte) []byte {
	for _, usual := range []string{"\r\nContent-Length: ", "\r\ncontent-length: "} {
		if i := bytes.Index(head, []byte(usual)); i >= 0 {
			value := head[i+len(usual):]
			return value[:max(bytes.IndexByte(value, '\r'), 0)]
		}
	}
	return headerOf(head, "content-length")
}

// headerOf returns the value of a field, given in lower case, or nil.
func headerOf(head []byte, name string) []byte {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if len(line) > len(name) && line[len(name)] == ':' && bytes.EqualFold(line[:len(name)], []byte(name)) {
			return bytes.TrimSpace(line[len(name)+1:])
		}
	}
	return nil
}
