package rest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// recordedApp is the application of the recorded servers, as far as can be told
// from what it answered.
type recordedApp struct {
	s  *scenario
	mu sync.Mutex // guards what follows

	seen     []event // requests
	notified int     // callbacks that were sent
}

// event is a request as the applications logged it.
type event struct {
	Method, URL, Headers, ContentType string
	BodyLen                           int
	BodySHA256                        string
	Bearer                            string
}

// ServeHTTP implements http.Handler.
func (a *recordedApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, ok := RequestFromContext(r.Context())
	if !ok { // before the upgrade
		body, _ := io.ReadAll(r.Body)
		req = &Request{r.Method, strings.TrimPrefix(r.RequestURI, "/"), "", false, r.Header.Get("Content-Type"), body}
	}
	e, content := a.note(req, r.Header.Get("Authorization"), ok)
	path, _, _ := strings.Cut(req.URL, "?")
	switch {
	case path == "echo":
		w.Header().Set("X-Echo", "1")
		w.Header().Set("Content-Type", e.ContentType)
		_, _ = w.Write(content)
	case path == "void":
	case strings.HasPrefix(path, "status/"):
		var status int
		_, _ = fmt.Sscanf(path, "status/%d", &status)
		w.Header().Set("Content-Type", "text/plain;charset=utf-8")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "status %d", status)
	case path == "notify":
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		_, _ = fmt.Fprintf(w, `{"notify":%s}`, r.URL.Query().Get("n"))
	case path == "lastnotify":
		w.Header().Set("Content-Type", "text/plain;charset=utf-8")
		_, _ = w.Write(a.last())
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(e.describe(content))
	}
}

// note logs a request. In JSON the reference takes "" for content; its
// application saw the two quotes.
func (a *recordedApp) note(req *Request, authorization string, ws bool) (event, []byte) {
	content, contentType := req.Content, req.ContentType
	if len(content) == 0 && contentType == "" && a.s.Server.Protocol == "synopsejson" && ws {
		content, contentType = []byte(`""`), "application/json"
	}
	sum := sha256.Sum256(content)
	e := event{req.Method, req.URL, req.Header, contentType, len(content), hex.EncodeToString(sum[:]), strings.TrimPrefix(authorization, "Bearer ")}
	a.mu.Lock()
	defer a.mu.Unlock()
	if ws {
		a.seen = append(a.seen, e)
	}
	return e, content
}

// describe is the answer to most requests.
func (e *event) describe(content []byte) []byte {
	b := []byte(`{"method":`)
	b = append(appendJSONString(b, e.Method), `,"url":`...)
	b = append(appendJSONString(b, e.URL), `,"headers":`...)
	b = append(appendJSONString(b, e.Headers), `,"contenttype":`...)
	b = append(appendJSONString(b, e.ContentType), `,"bodylen":`...)
	b = fmt.Appendf(b, `%d,"bodysha256":"%s","body":`, e.BodyLen, e.BodySHA256)
	return append(appendJSONString(b, string(content)), '}')
}

// last is what the server knows of its callbacks so far.
func (a *recordedApp) last() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append(bytes.Join(a.s.lines[:a.notified], []byte("\n")), '\n')
}

// events are the requests that the recorded application saw over the socket, but
// for one that is not valid in JSON, which we refuse.
func (s *scenario) events() (list []event) {
	for _, raw := range s.ServerLog {
		var e struct {
			Event string
			WS    bool
			event
		}
		if json.Unmarshal(raw, &e) == nil && e.Event == "request" && e.WS && !s.refusesEvent(&e.event) {
			list = append(list, e.event)
		}
	}
	return list
}

func (s *scenario) refusesEvent(e *event) bool {
	sum := sha256.Sum256([]byte("no content type"))
	return s.Server.Protocol == "synopsejson" && e.BodySHA256 == hex.EncodeToString(sum[:])
}

// recordedClient is the application of the recorded clients.
func recordedClient(s *scenario) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, _ := RequestFromContext(r.Context())
		n := len(req.Content)
		if n == 0 && s.Server.Protocol == "synopsejson" {
			n = len(`""`)
		}
		switch path, _, _ := strings.Cut(req.URL, "?"); path {
		case "callback/void":
			w.WriteHeader(http.StatusNoContent)
		case "callback/fail":
			w.Header().Set("Content-Type", "text/plain;charset=utf-8")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "refused by client")
		default:
			w.Header().Set("X-Client", "peer")
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"got":"%s","len":%d}`, req.URL, n)
		}
	})
}
