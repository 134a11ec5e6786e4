package eioclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/hermod-io/hermod/engineio/packet"
)

// openPolling makes the session with a GET, and starts the goroutine that polls.
// Engine.IO v4, "HTTP long-polling".
func (s *Session) openPolling(ctx context.Context) error {
	body, err := s.request(ctx, http.MethodGet, nil)
	if err != nil {
		return err
	}
	r := packet.NewPayloadReader(body)
	if !r.Next() {
		return r.Err()
	}
	if err := s.handshaken(r.Packet()); err != nil {
		return err
	}
	if !s.d.spawn(func() { s.poll(&r) }) {
		return ErrClosed
	}
	return <-s.opened
}

// poll is the goroutine that receives, until the end or the upgrade. r holds
// what came with the handshake.
func (s *Session) poll(r *packet.PayloadReader) {
	s.tell()
	if s.upgradable() {
		s.d.spawn(s.tryUpgrade)
	}
	for {
		s.payload(r)
		if s.closing() {
			<-s.done // the server ends a GET that waits, and takes no other
		}
		if s.over() {
			s.ended()
			return
		}
		if s.changeTransport() {
			return
		}
		body, err := s.request(s.ctx, http.MethodGet, nil)
		if err != nil {
			s.end(TransportError, err)
			s.ended()
			return
		}
		next := packet.NewPayloadReader(body)
		r = &next
	}
}

// payload takes the packets of a response.
func (s *Session) payload(r *packet.PayloadReader) {
	for !s.over() && r.Next() {
		s.receive(packet.ValidText(r.Packet()))
	}
	if err := r.Err(); err != nil && !s.over() {
		s.end(ParseError, err)
	}
}

// over reports whether nothing that arrives counts any more.
func (s *Session) over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// closing reports whether Close was called.
func (s *Session) closing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == stateClosing
}

// kick starts the POST of what waits. mu is held.
func (s *Session) kick() {
	if s.posting || s.held || len(s.box) == 0 || s.ws.Load() != nil {
		return
	}
	s.posting = s.d.spawn(s.post)
}

// post is the goroutine that sends, one POST at a time, as long as there is
// something to send.
func (s *Session) post() {
	sent := 0 // packets
	size := 0
	for {
		s.mu.Lock()
		s.packets -= sent
		s.bytes -= size
		if s.state == stateClosed || len(s.box) == 0 || s.held {
			break
		}
		var body []byte
		body, sent, size = s.batch()
		s.mu.Unlock()
		if _, err := s.request(s.ctx, http.MethodPost, body); err != nil {
			s.end(TransportError, err)
		}
	}
	s.posting = false
	closing := s.state == stateClosing
	if s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
	s.mu.Unlock()
	if closing { // the last packet was a close
		s.end(ForcedClose, nil)
	}
	if s.over() {
		s.closeIdle()
	}
}

// batch takes what fits into one POST off the box: at least one packet, and no
// more bytes than the server takes. A close has a POST of its own: the official
// server drops messages whose handling it has put off when the close comes with
// them. mu is held.
func (s *Session) batch() (body []byte, packets, size int) {
	limit := s.shake.MaxPayload
	total := packet.ChunkSize(s.box[0])
	n := 1
	for n < len(s.box) {
		total += 1 + packet.ChunkSize(s.box[n])
		if limit > 0 && int64(total) > limit || s.box[n].Type == packet.Close {
			break
		}
		n++
	}
	body = packet.AppendPayload(nil, s.box[:n]...)
	for _, p := range s.box[:n] {
		size += 1 + len(p.Data)
	}
	s.box = s.box[n:]
	if len(s.box) == 0 {
		s.box = nil
	}
	return body, n, size
}

// errTooLong is a response that is larger than Config.MaxMessage.
var errTooLong = errors.New("response too long")

// onlyOnce is an empty body that net/http cannot read again. Without it a GET
// whose connection is cut is sent again by net/http, if the connection was in use
// before; the answer to the first one, and the messages in it, would be lost
// unnoticed.
type onlyOnce struct{}

func (onlyOnce) Read([]byte) (int, error) { return 0, io.EOF }

// request does one HTTP request and returns the body of its response.
func (s *Session) request(ctx context.Context, method string, body []byte) ([]byte, error) {
	var in io.Reader = bytes.NewReader(body)
	if method == http.MethodGet && s.shake.SID != "" {
		in = onlyOnce{}
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url(Polling), in)
	if err != nil {
		return nil, err
	}
	for k, v := range s.d.cfg.Header {
		req.Header[http.CanonicalHeaderKey(k)] = v
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, &DialError{Transport: Polling, Err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, refusal(Polling, resp)
	}
	in = resp.Body
	limit := s.d.cfg.MaxMessage
	if limit > 0 {
		in = io.LimitReader(in, limit+1)
	}
	got, err := io.ReadAll(in)
	switch {
	case err != nil:
		return nil, &DialError{Transport: Polling, Err: err}
	case limit > 0 && int64(len(got)) > limit:
		return nil, &DialError{Transport: Polling, Status: resp.StatusCode, Err: errTooLong}
	}
	return got, nil
}
