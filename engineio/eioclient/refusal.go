package eioclient

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

// refusals are the texts of the codes, by number. Engine.IO v4, "HTTP long-polling".
var refusals = []string{
	"Transport unknown", "Session ID unknown", "Bad handshake method",
	"Bad request", codeForbidden: "Forbidden", "Unsupported protocol version",
}

// codeForbidden is also that of any text of the application's own.
const codeForbidden = 4

// refusal is the error of a response that is none of ours.
func refusal(transport string, resp *http.Response) *DialError {
	e := &DialError{Transport: transport, Status: resp.StatusCode}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	var said struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	switch {
	case json.Unmarshal(body, &said) == nil:
		e.Code, e.Message = said.Code, said.Message
	case transport == WebSocket && resp.Header.Get("Content-Type") == "text/html":
		e.Code, e.Message = upgradeRefusal(string(body))
	}
	return e
}

// upgradeRefusal reads what an Engine.IO server says of an upgrade request: the text
// alone, which the code follows from. A page is somebody else's: then the text is "".
func upgradeRefusal(body string) (code int, text string) {
	body = strings.TrimSpace(strings.ToValidUTF8(body, "")) // it may have been cut
	if body == "" || strings.Contains(body, "<") {
		return 0, ""
	}
	if i := slices.Index(refusals, body); i >= 0 {
		return i, body
	}
	return codeForbidden, body
}
