package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/hermod-io/hermod/wscore"
)

// modeHeader is the header of an HTTP request that selects the Mode.
const modeHeader = "Sec-Websocket-Rest"

// RoundTrip implements http.RoundTripper: an http.Client with the Peer as its
// Transport speaks over the connection. The URL's scheme and host do not matter,
// its path and query are sent, its body is read whole, and closed when the context
// ends before. A header "Sec-WebSocket-REST: NonBlocking" or
// "WithoutAnswer" selects the Mode; then the response is an empty 200. Errors
// are those of [Peer.Call].
func (r *Peer) RoundTrip(hr *http.Request) (*http.Response, error) {
	content, err := readBody(hr)
	if err != nil {
		return nil, err
	}
	req := Request{
		Method:      hr.Method,
		URL:         strings.TrimPrefix(hr.URL.RequestURI(), "/"),
		Header:      headerText(hr.Header),
		ContentType: oneLine(hr.Header.Get("Content-Type")),
		Content:     content,
	}
	if req.Method == "" {
		req.Method = http.MethodGet // as net/http has it
	}
	if req.ContentType == "" && len(req.Content) > 0 {
		req.ContentType = "application/octet-stream" // on the wire no type at all is JSON's
	}
	a, err := r.Notify(hr.Context(), req, modeOf(hr.Header))
	if err != nil {
		return nil, err
	}
	return a.httpResponse(hr)
}

var errNoURL = errors.New("rest: request without a URL")

// readBody reads the body of a request, until its context ends, and closes it.
func readBody(hr *http.Request) ([]byte, error) {
	body, ctx := hr.Body, hr.Context()
	if body == nil {
		body = http.NoBody
	}
	if hr.URL == nil {
		_ = body.Close()
		return nil, errNoURL
	}
	stop := context.AfterFunc(ctx, func() { _ = body.Close() })
	content, err := io.ReadAll(body)
	if stop() {
		_ = body.Close()
	}
	if err != nil && ctx.Err() != nil {
		err = &CallError{http.StatusNotFound, context.Cause(ctx)}
	}
	return content, err
}

func modeOf(h http.Header) Mode {
	switch v := h.Get(modeHeader); {
	case strings.EqualFold(v, "NonBlocking"):
		return NonBlocking
	case strings.EqualFold(v, "WithoutAnswer"):
		return BlockWithoutAnswer
	}
	return BlockWithAnswer
}

// httpResponse is an answer as net/http has it.
func (a *Answer) httpResponse(hr *http.Request) (*http.Response, error) {
	if a.Status < 100 {
		return nil, &CallError{http.StatusNotFound, ErrBadAnswer}
	}
	h := http.Header{}
	parseHeader(h, a.Header)
	if a.ContentType != "" {
		h.Set("Content-Type", oneLine(a.ContentType))
	}
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status)),
		StatusCode: a.Status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        h,
		Body:          io.NopCloser(bytes.NewReader(a.Content)),
		ContentLength: int64(len(a.Content)),
		Request:       hr,
	}, nil
}

// Transport is the http.RoundTripper of a client that reconnects: each request
// goes over the present connection. While there is none it fails with
// StatusReconnect and ErrNotConnected.
func Transport(c *wscore.Client) http.RoundTripper { return transport{c} }

type transport struct{ c *wscore.Client }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(hr *http.Request) (*http.Response, error) {
	r, ok := PeerOf(t.c.Process())
	if !ok {
		if hr.Body != nil {
			_ = hr.Body.Close()
		}
		return nil, &CallError{StatusReconnect, ErrNotConnected}
	}
	return r.RoundTrip(hr)
}
