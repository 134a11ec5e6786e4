package engineio

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/hermod-io/hermod/internal/formquery"
	"github.com/hermod-io/hermod/internal/httplist"
)

// The error codes of the protocol. The status is 400, and 403 for CodeForbidden where
// no upgrade was asked for, but 503 while the server closes, and what [Limits] says.
// Engine.IO, "HTTP errors".
const (
	CodeUnknownTransport = 0 // none of Config.Transports
	CodeUnknownSID       = 1 // no session of that id
	CodeBadMethod        = 2 // a handshake that is no GET
	CodeBadRequest       = 3 // anything else that is malformed, or another transport than the session's
	CodeForbidden        = 4 // AllowRequest, CORS or Limits refuse it, or the server closes
	CodeVersion          = 5 // a protocol that is not served, see Config.AllowEIO3
)

var codeMessages = [...]string{
	"Transport unknown", "Session ID unknown", "Bad handshake method",
	"Bad request", "Forbidden", "Unsupported protocol version",
}

// query is what the engine reads of a request's query; of duplicates the last wins.
type query struct {
	transport, sid, eio string
	base64              bool // no binary frames and bodies for this client
	jsonp               bool // with the function of this index
	index               string
}

func parseQuery(raw string) (q query) {
	for name, value := range formquery.Pairs(raw) {
		switch name {
		case "transport":
			q.transport = value
		case "sid":
			q.sid = value
		case "EIO":
			q.eio = value
		case "b64":
			q.base64 = value != ""
		case "j":
			q.jsonp, q.index = true, value
		}
	}
	return q
}

// verify checks a request in the order of the official server. s is the
// session it names, if any.
func (srv *Server) verify(r *http.Request, q query) (s *Session, e *ConnectionError) {
	upgrade := isUpgrade(r)
	refuse := func(code int, ctx map[string]any) (*Session, *ConnectionError) {
		return nil, &ConnectionError{Request: r, Code: code, Message: codeMessages[code], Context: ctx}
	}
	if !slices.Contains(srv.cfg.Transports, q.transport) {
		return refuse(CodeUnknownTransport, map[string]any{"transport": q.transport})
	}
	if origin := first(r.Header["Origin"]); !validHeader(origin) {
		return refuse(CodeBadRequest, map[string]any{"name": "INVALID_ORIGIN", "origin": origin})
	}
	if q.sid != "" {
		s := srv.sessions.get(q.sid)
		switch {
		case s == nil:
			return refuse(CodeUnknownSID, map[string]any{"sid": q.sid})
		case !upgrade && s.Transport() != q.transport, upgrade && q.transport != WebSocket:
			return refuse(CodeBadRequest, map[string]any{"name": "TRANSPORT_MISMATCH", "transport": q.transport, "previousTransport": s.Transport()})
		case s.Protocol() != q.protocol():
			return refuse(CodeBadRequest, map[string]any{"name": "PROTOCOL_MISMATCH", "protocol": q.protocol(), "previousProtocol": s.Protocol()})
		}
		return s, nil
	}
	switch {
	case r.Method != http.MethodGet:
		return refuse(CodeBadMethod, map[string]any{"method": r.Method})
	case q.transport == WebSocket && !upgrade, q.transport != WebSocket && upgrade:
		return refuse(CodeBadRequest, map[string]any{"name": "TRANSPORT_HANDSHAKE_ERROR"})
	case !srv.limits.handshake():
		return nil, overLimit(r, tooManyHandshakes, "Handshakes")
	}
	if e := srv.allow(r); e != nil {
		return nil, e
	}
	if v := q.protocol(); v != 4 && !srv.cfg.AllowEIO3 {
		return refuse(CodeVersion, map[string]any{"protocol": v})
	}
	return nil, nil
}

// allow asks the configured origins and AllowRequest.
func (srv *Server) allow(r *http.Request) *ConnectionError {
	e := &ConnectionError{Request: r, Code: CodeForbidden, Message: codeMessages[CodeForbidden]}
	if !srv.originAllowed(r) {
		origin, _ := pageOrigin(r)
		e.Context = map[string]any{"origin": origin}
		return e
	}
	if srv.cfg.AllowRequest == nil {
		return nil
	}
	err := srv.cfg.AllowRequest(r)
	if err == nil {
		return nil
	}
	var allow *AllowError
	if errors.As(err, &allow) && allow.Message != "" {
		e.Message = allow.Message
	}
	e.Context = map[string]any{"message": err.Error()}
	return e
}

// isUpgrade reports whether r asks to change the protocol. Upgrade alone does not:
// clients and proxies leave it in requests that are to stay what they are.
// RFC 9110 section 7.8.
func isUpgrade(r *http.Request) bool {
	return first(r.Header["Upgrade"]) != "" && httplist.Has(r.Header["Connection"], "upgrade")
}

// first is what Get of a header tells, of a name in the form that net/http gives it.
func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// validHeader reports whether v has only characters that a header may have.
func validHeader(v string) bool {
	for i := range len(v) {
		if c := v[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// reject answers a refused request and tells the hook.
func (srv *Server) reject(w http.ResponseWriter, r *http.Request, e *ConnectionError) {
	if srv.cfg.OnConnectionError != nil {
		srv.cfg.OnConnectionError(e)
	}
	endBody(w, r)
	status := e.Status()
	if e.status != 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	if isUpgrade(r) {
		w.Header().Set("Connection", "close")
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(e.Message))
		return
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // as JSON.stringify
	_ = enc.Encode(struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{e.Code, e.Message})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(bytes.TrimSuffix(body.Bytes(), []byte{'\n'}))
}
